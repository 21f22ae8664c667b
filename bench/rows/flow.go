package rows

import (
	"context"
	"fmt"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/site"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// window is how many jobs wait or run while a flow is measured. It keeps the queue from
// running dry, when asynq would sleep, and from growing, so that as many jobs are
// submitted as are kept.
const window = 1000

// level is how much of the way of a job is measured.
type level struct {
	name, what string
	kinds      map[table.Column]contestant.Kind
	goals      bool // those of the whole way count here too
}

// levels are the whole way, the way without Gin, and the bare store.
func levels() []level {
	return []level{
		{
			name: "gin", what: "through Redis, from Gin's handler to the kept result", goals: true,
			kinds: map[table.Column]contestant.Kind{table.Ours: contestant.GinAsync, table.Asynq: contestant.AsynqGin},
		},
		{
			name: "worker", what: "through Redis, without Gin: store and worker against the peers' client and server", goals: true,
			kinds: map[table.Column]contestant.Kind{
				table.Ours: contestant.Worker, table.Asynq: contestant.Asynq,
				table.Machinery: contestant.Machinery, table.Ceiling: contestant.Pipeline,
			},
		},
		{
			name: "store", what: "through Redis, the store alone: Create, Claim, Settle in a loop, no worker, no Gin",
			kinds: map[table.Column]contestant.Kind{table.Ours: contestant.Store, table.Ceiling: contestant.Pipeline},
		},
	}
}

// flowRows makes a row for each level and concurrency, of one value of its flow.
func flowRows(name, unit, what string, goal table.Goal, value func(lab.Flow) float64) []Row {
	var rows []Row
	for _, level := range levels() {
		for _, n := range concurrencies() {
			row := Row{
				Name: at(name+"/"+level.name, n), Unit: unit, Measure: make(map[table.Column]Measure),
				What: fmt.Sprintf("%s %s; %d submit and %d run at once", what, level.what, n, n),
			}
			if level.goals {
				row.Goal = goal
			}
			for column, kind := range level.kinds {
				row.Measure[column] = flowOf(kind, n, value)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// flowOf measures a contestant at work.
func flowOf(kind contestant.Kind, concurrency int, value func(lab.Flow) float64) Measure {
	return func(ctx context.Context, l *lab.Lab) (float64, error) {
		flow, err := lab.Once(l, at("flow of "+string(kind), concurrency), func() (lab.Flow, error) {
			return lab.Run(ctx, l, func(ctx context.Context, b *lab.Bench) (lab.Flow, error) {
				s, err := b.Open(ctx, kind, concurrency, lab.Gated)
				if err != nil {
					return lab.Flow{}, err
				}
				return pump(ctx, l, b, concurrency, s)
			})
		})
		if err != nil {
			return 0, err
		}
		return value(flow), nil
	}
}

// pump lets sites, which are gated, submit and run jobs, those at once divided among them,
// and measures for the span of the plan. The gates are opened when the queue is filled:
// asynq would sleep for a second if it was empty in between.
func pump(ctx context.Context, l *lab.Lab, b *lab.Bench, concurrency int, sites ...*site.Site) (lab.Flow, error) {
	share := func(n int) int { return max(n/len(sites), 1) }
	for _, s := range sites {
		if err := s.Pump(ctx, site.Pumping{Producers: share(concurrency), Window: share(window)}); err != nil {
			return lab.Flow{}, err
		}
	}
	filled := int64(share(window))
	for _, s := range sites {
		// The pipeline has no queue and knows no gate.
		if err := s.Await(ctx, func(u site.Usage) bool { return u.Submitted >= filled || u.Kept > 0 }); err != nil {
			return lab.Flow{}, err
		}
	}
	for _, s := range sites {
		if err := s.Open(ctx); err != nil {
			return lab.Flow{}, err
		}
	}
	for _, s := range sites {
		if err := s.Await(ctx, func(u site.Usage) bool { return u.Kept > 0 }); err != nil {
			return lab.Flow{}, err
		}
	}
	if _, err := b.Over(ctx, l.Warm()); err != nil {
		return lab.Flow{}, err
	}
	return b.OverJobs(ctx, l.Span)
}

// The values of a flow.

func jobsPerSecond(f lab.Flow) float64 { return f.Jobs / f.Took.Seconds() }

func cpuPerJob(f lab.Flow) float64 { return micros(f.CPU+f.RedisCPU) / f.Jobs }

func redisCPUPerJob(f lab.Flow) float64 { return micros(f.RedisCPU) / f.Jobs }

func callsPerJob(f lab.Flow) float64 { return f.Calls / f.Jobs }

func commandsPerJob(f lab.Flow) float64 { return f.RedisCommands / f.Jobs }
