package rows

import (
	"context"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/site"
)

// slots is how many jobs run at once in a web server: ginasync's default.
const slots = 16

// load lets one process ask another over HTTP, and measures answers a second. The requests
// are made when the server is up.
func load(ctx context.Context, l *lab.Lab, kind contestant.Kind, options []func(*site.Setup),
	prepare func(ctx context.Context, server *site.Site) (site.Load, error),
) (float64, error) {
	return lab.Run(ctx, l, func(ctx context.Context, b *lab.Bench) (float64, error) {
		server, err := b.Open(ctx, kind, slots, options...)
		if err != nil {
			return 0, err
		}
		want, err := prepare(ctx, server)
		if err != nil {
			return 0, err
		}
		if want.Addr, err = server.Serve(ctx); err != nil {
			return 0, err
		}
		client, err := b.Open(ctx, "", 0)
		if err != nil {
			return 0, err
		}
		want.Warm, want.Span = l.Warm(), l.Span
		done, err := client.Load(ctx, want)
		return float64(done.Answers) / done.Took.Seconds(), err
	})
}
