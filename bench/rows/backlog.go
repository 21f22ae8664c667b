package rows

import (
	"context"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/site"
)

// backlog: the same work behind a longer queue.
func backlog(plan lab.Plan) []Row {
	return scale{
		name: "backlog", what: "jobs in the queue all the time, 128 submit and 128 run at once",
		sizes: plan.Backlog, measure: pumpBehind,
	}.rows()
}

func pumpBehind(ctx context.Context, l *lab.Lab, kind contestant.Kind, n int) (lab.Flow, error) {
	return lab.Run(ctx, l, func(ctx context.Context, b *lab.Bench) (lab.Flow, error) {
		front, err := b.Open(ctx, kind, 0)
		if err != nil {
			return lab.Flow{}, err
		}
		if _, err := front.Submit(ctx, site.Submission{N: n, Producers: drainers}); err != nil {
			return lab.Flow{}, err
		}
		b.Kill(front)
		s, err := b.Open(ctx, kind, drainers, lab.Gated)
		if err != nil {
			return lab.Flow{}, err
		}
		return pump(ctx, l, b, drainers, s)
	})
}
