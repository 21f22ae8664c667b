package rows

import (
	"context"
	"fmt"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/site"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// held: what it costs to hold jobs that run for long: renewed leases, and nothing else.
func held(plan lab.Plan) []Row {
	row := func(name, unit, what string, value func(lab.Flow) float64) Row {
		return Row{
			Name: at("held/"+name, plan.Held), Unit: unit, Long: true,
			What: fmt.Sprintf("%s while one process holds %d running jobs", what, plan.Held),
			Measure: map[table.Column]Measure{
				table.Ours: hold(contestant.GinAsync, value), table.Asynq: hold(contestant.AsynqGin, value),
			},
		}
	}
	return []Row{
		row("cpu", "ms/s", "processor time, of the process and of Redis,",
			func(f lab.Flow) float64 { return millis(f.CPU+f.RedisCPU) / f.Took.Seconds() }),
		row("calls", "calls/s", "calls to Redis, renewals and all else,",
			func(f lab.Flow) float64 { return f.Calls / f.Took.Seconds() }),
		row("commands", "cmds/s", "commands in Redis, those in scripts included,",
			func(f lab.Flow) float64 { return f.RedisCommands / f.Took.Seconds() }),
	}
}

func hold(kind contestant.Kind, value func(lab.Flow) float64) Measure {
	return func(ctx context.Context, l *lab.Lab) (float64, error) {
		flow, err := lab.Once(l, "held by "+string(kind), func() (lab.Flow, error) {
			return lab.Run(ctx, l, func(ctx context.Context, b *lab.Bench) (lab.Flow, error) {
				s, err := b.Open(ctx, kind, l.Held, lab.Gated)
				if err != nil {
					return lab.Flow{}, err
				}
				if _, err := s.Submit(ctx, site.Submission{N: l.Held, Producers: drainers}); err != nil {
					return lab.Flow{}, err
				}
				if err := s.Await(ctx, func(u site.Usage) bool { return u.Started >= int64(l.Held) }); err != nil {
					return lab.Flow{}, err
				}
				return b.Over(ctx, l.HeldSpan)
			})
		})
		if err != nil {
			return 0, err
		}
		return value(flow), nil
	}
}
