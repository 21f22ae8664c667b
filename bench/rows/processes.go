package rows

import (
	"context"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/site"
)

// processes: the same work, as many jobs at once, divided among more processes.
func processes(plan lab.Plan) []Row {
	return scale{
		name: "processes", what: "processes that share 128 submissions and 128 runs at once",
		sizes: plan.Processes,
		measure: func(ctx context.Context, l *lab.Lab, kind contestant.Kind, n int) (lab.Flow, error) {
			return pumpMany(ctx, l, kind, n, drainers)
		},
	}.rows()
}

// replicas: more processes that are all alike, as they are when a service is scaled out.
func replicas(plan lab.Plan) []Row {
	return scale{
		name: "replicas", what: "processes, each with 16 submissions and 16 runs at once",
		sizes: plan.Processes,
		measure: func(ctx context.Context, l *lab.Lab, kind contestant.Kind, n int) (lab.Flow, error) {
			return pumpMany(ctx, l, kind, n, n*slots)
		},
	}.rows()
}

// pumpMany divides jobs at once among n processes.
func pumpMany(ctx context.Context, l *lab.Lab, kind contestant.Kind, n, atOnce int) (lab.Flow, error) {
	return lab.Run(ctx, l, func(ctx context.Context, b *lab.Bench) (lab.Flow, error) {
		sites := make([]*site.Site, n)
		for i := range sites {
			s, err := b.Open(ctx, kind, max(atOnce/n, 1), lab.Gated)
			if err != nil {
				return lab.Flow{}, err
			}
			sites[i] = s
		}
		return pump(ctx, l, b, atOnce, sites...)
	})
}
