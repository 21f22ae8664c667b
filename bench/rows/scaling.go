package rows

import (
	"context"
	"fmt"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// flat is by how many percent jobs/s may fall and the processor time of a job may rise.
const flat = 20

// scale is a flow at different sizes.
type scale struct {
	name, what string
	sizes      []int
	measure    func(ctx context.Context, l *lab.Lab, kind contestant.Kind, size int) (lab.Flow, error)
}

// rows shows jobs/s and the processor time of a job at each size, and how much worse the
// worst size is than the first.
func (s scale) rows() []Row {
	var rows []Row
	for _, size := range s.sizes {
		rows = append(rows,
			s.row(at("jobs", size), "jobs/s", fmt.Sprintf("jobs with %d %s", size, s.what), table.Goal{}, s.value(size, jobsPerSecond)),
			s.row(at("cpu", size), "µs/job", fmt.Sprintf("processor time of a job with %d %s", size, s.what), table.Goal{}, s.value(size, cpuPerJob)),
		)
	}
	if len(s.sizes) < 2 {
		return rows
	}
	return append(rows,
		s.row("jobs-fall", "%", "by how much the worst of these is below the first in jobs/s", table.AtMost(flat),
			s.worst(func(first, other lab.Flow) float64 { return 1 - jobsPerSecond(other)/jobsPerSecond(first) })),
		s.row("cpu-rise", "%", "by how much the worst of these is above the first in processor time of a job", table.AtMost(flat),
			s.worst(func(first, other lab.Flow) float64 { return cpuPerJob(other)/cpuPerJob(first) - 1 })),
	)
}

func (s scale) row(name, unit, what string, goal table.Goal, of func(contestant.Kind) Measure) Row {
	return Row{
		Name: s.name + "/" + name, Unit: unit, What: what, Goal: goal,
		Measure: map[table.Column]Measure{
			table.Ours: of(contestant.GinAsync), table.Asynq: of(contestant.AsynqGin),
		},
	}
}

// flow measures one size, once in a round.
func (s scale) flow(ctx context.Context, l *lab.Lab, kind contestant.Kind, size int) (lab.Flow, error) {
	return lab.Once(l, at(s.name+" of "+string(kind), size), func() (lab.Flow, error) {
		return s.measure(ctx, l, kind, size)
	})
}

func (s scale) value(size int, value func(lab.Flow) float64) func(contestant.Kind) Measure {
	return func(kind contestant.Kind) Measure {
		return func(ctx context.Context, l *lab.Lab) (float64, error) {
			flow, err := s.flow(ctx, l, kind, size)
			if err != nil {
				return 0, err
			}
			return value(flow), nil
		}
	}
}

// worst compares each size with the first; nothing is worse: 0 or less.
func (s scale) worst(worse func(first, other lab.Flow) float64) func(contestant.Kind) Measure {
	return func(kind contestant.Kind) Measure {
		return func(ctx context.Context, l *lab.Lab) (float64, error) {
			first, err := s.flow(ctx, l, kind, s.sizes[0])
			if err != nil {
				return 0, err
			}
			var all []float64
			for _, size := range s.sizes[1:] {
				other, err := s.flow(ctx, l, kind, size)
				if err != nil {
					return 0, err
				}
				all = append(all, 100*worse(first, other))
			}
			return table.Percentile(all, 100), nil
		}
	}
}
