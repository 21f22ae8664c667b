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

// accepted: how many submissions a second a server answers 202, while its workers are
// busy with slow jobs, as they are where routes are made asynchronous.
func accepted() []Row {
	var rows []Row
	for _, n := range concurrencies() {
		rows = append(rows,
			Row{
				Name: at("http-202/memory", n), Unit: "202/s", Goal: table.TimesAtLeast(0.9, table.Ceiling),
				What: fmt.Sprintf("submissions answered 202 over %d connections, jobs kept in memory; "+
					"ceiling: a Gin route that reads the body and answers the same", n),
				Measure: map[table.Column]Measure{
					table.Ours: accept(contestant.GinAsyncMemory, n), table.Ceiling: accept(contestant.Gin, n),
				},
			},
			Row{
				Name: at("http-202/redis", n), Unit: "202/s", Goal: table.TimesAtLeast(0.7, table.Ceiling),
				What: fmt.Sprintf("the same over %d connections, jobs kept in Redis; asynq: wired to Gin by hand", n),
				Measure: map[table.Column]Measure{
					table.Ours: accept(contestant.GinAsync, n), table.Asynq: accept(contestant.AsynqGin, n),
					table.Ceiling: accept(contestant.Gin, n),
				},
			})
	}
	return rows
}

func accept(kind contestant.Kind, conns int) Measure {
	return func(ctx context.Context, l *lab.Lab) (float64, error) {
		return lab.Once(l, at("202 of "+string(kind), conns), func() (float64, error) {
			return load(ctx, l, kind, []func(*site.Setup){lab.Gated},
				func(context.Context, *site.Site) (site.Load, error) {
					return site.Load{
						Method: http.MethodPost, Paths: []string{contestant.SubmitPath}, Body: contestant.Body(0),
						Conns: conns, Want: http.StatusAccepted,
					}, nil
				})
		})
	}
}
