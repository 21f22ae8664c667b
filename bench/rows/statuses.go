package rows

import (
	"context"
	"fmt"
	"net/http"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/site"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// shown is how many jobs, all completed, clients ask about.
const shown = 1000

// statuses: how many status documents a second a server shows.
func statuses() []Row {
	var rows []Row
	for _, n := range concurrencies() {
		rows = append(rows,
			Row{
				Name: at("http-status/memory", n), Unit: "GET/s",
				What: fmt.Sprintf("status documents of completed jobs in memory over %d connections; "+
					"ceiling: a Gin route that answers the same", n),
				Measure: map[table.Column]Measure{
					table.Ours: status(contestant.GinAsyncMemory, n), table.Ceiling: status(contestant.Gin, n),
				},
			},
			Row{
				Name: at("http-status/redis", n), Unit: "GET/s",
				What: fmt.Sprintf("the same in Redis over %d connections; asynq: Inspector behind Gin, by hand", n),
				Measure: map[table.Column]Measure{
					table.Ours: status(contestant.GinAsync, n), table.Asynq: status(contestant.AsynqGin, n),
					table.Ceiling: status(contestant.Gin, n),
				},
			})
	}
	return rows
}

func status(kind contestant.Kind, conns int) Measure {
	return func(ctx context.Context, l *lab.Lab) (float64, error) {
		return lab.Once(l, at("status of "+string(kind), conns), func() (float64, error) {
			return load(ctx, l, kind, nil, func(ctx context.Context, server *site.Site) (site.Load, error) {
				paths, err := completed(ctx, kind, server, min(l.Jobs, shown))
				return site.Load{Method: http.MethodGet, Paths: paths, Conns: conns, Want: http.StatusOK}, err
			})
		})
	}
}

// completed runs some jobs and returns the paths of their status documents.
func completed(ctx context.Context, kind contestant.Kind, server *site.Site, n int) ([]string, error) {
	if kind == contestant.Gin {
		return []string{contestant.StatusPath + "any"}, nil
	}
	ids, err := server.Submit(ctx, site.Submission{N: n, Producers: slots})
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(ids))
	for i, id := range ids {
		paths[i] = contestant.StatusPath + id
	}
	return paths, server.Await(ctx, func(u site.Usage) bool { return u.Kept >= int64(n) })
}
