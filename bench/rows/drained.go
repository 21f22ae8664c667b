package rows

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/site"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// drainers is how many jobs run at once while a queue is drained or scaling is measured.
const drainers = 128

// drained: how fast workers empty a long queue that nothing is added to.
func drained(plan lab.Plan) []Row {
	return []Row{{
		Name: at("drained", plan.Drain), Unit: "jobs/s", Long: true,
		What: fmt.Sprintf("%d queued jobs run down, %d at once, nothing submitted meanwhile", plan.Drain, drainers),
		Measure: map[table.Column]Measure{
			table.Ours: drain(contestant.GinAsync), table.Asynq: drain(contestant.AsynqGin),
		},
	}}
}

func drain(kind contestant.Kind) Measure {
	return func(ctx context.Context, l *lab.Lab) (float64, error) {
		return lab.Run(ctx, l, func(ctx context.Context, b *lab.Bench) (float64, error) {
			s, err := b.Open(ctx, kind, drainers, lab.Gated)
			if err != nil {
				return 0, err
			}
			if _, err := s.Submit(ctx, site.Submission{N: l.Drain, Producers: drainers}); err != nil {
				return 0, err
			}
			busy := int64(min(drainers, l.Drain))
			if err := s.Await(ctx, func(u site.Usage) bool { return u.Started >= busy }); err != nil {
				return 0, err
			}
			since := time.Now()
			if err := s.Open(ctx); err != nil {
				return 0, err
			}
			err = s.Await(ctx, func(u site.Usage) bool { return u.Kept >= int64(l.Drain) })
			return float64(l.Drain) / time.Since(since).Seconds(), err
		})
	}
}
