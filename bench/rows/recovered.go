package rows

import (
	"context"
	"time"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/site"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// recovered: how long it takes from the kill -9 of a worker in the middle of a job until
// another process runs the job again, with the defaults. asynq takes two minutes, so it is
// measured in a full run only.
func recovered(plan lab.Plan) []Row {
	row := Row{
		Name: "recovered", Unit: "s", Goal: table.AtMost(12), Long: true,
		What:    "from the kill -9 of a worker in the middle of a job until another process has begun to run it again",
		Measure: map[table.Column]Measure{table.Ours: recover9(contestant.GinAsync)},
	}
	if plan.Full {
		row.Measure[table.Asynq] = recover9(contestant.AsynqGin)
	}
	return []Row{row}
}

func recover9(kind contestant.Kind) Measure {
	return func(ctx context.Context, l *lab.Lab) (float64, error) {
		return lab.Run(ctx, l, func(ctx context.Context, b *lab.Bench) (float64, error) {
			victim, err := b.Open(ctx, kind, 1, lab.Gated)
			if err != nil {
				return 0, err
			}
			if _, err := victim.Submit(ctx, site.Submission{N: 1, Producers: 1}); err != nil {
				return 0, err
			}
			started := func(u site.Usage) bool { return u.Started > 0 }
			if err := victim.Await(ctx, started); err != nil {
				return 0, err
			}
			heir, err := b.Open(ctx, kind, 1)
			if err != nil {
				return 0, err
			}
			since := time.Now()
			b.Kill(victim)
			err = heir.Await(ctx, started)
			return time.Since(since).Seconds(), err
		})
	}
}
