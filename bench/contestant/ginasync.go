package contestant

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
)

// ginAsync is this library as its users have it.
type ginAsync struct {
	engine  *gin.Engine
	manager *ginasync.Manager
	jobs    store.Jobs
	shut    func() error
}

func openGinAsync(ctx context.Context, setup Setup, work Work) (*ginAsync, error) {
	kept, shut := ourStore(setup, work)
	engine := gin.New()
	engine.POST(route, ginasync.Async(handlerOf(work))) //nolint:contextcheck // each attempt has a context of its own
	options := []ginasync.Option{ginasync.WithStore(kept), ginasync.WithMaxQueued(maxWaiting)}
	if setup.Concurrency > 0 {
		options = append(options, ginasync.WithConcurrency(setup.Concurrency))
	} else {
		options = append(options, ginasync.WithoutWorkers())
	}
	manager, err := ginasync.New(engine, options...)
	if err == nil {
		manager.Routes(engine.Group(StatusPath))
		err = manager.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, shut())
	}
	return &ginAsync{engine: engine, manager: manager, jobs: kept, shut: shut}, nil
}

// handlerOf does the work in a Gin handler.
func handlerOf(work Work) gin.HandlerFunc {
	return func(c *gin.Context) {
		body, err := c.GetRawData()
		if err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		c.Data(http.StatusOK, "text/plain", work.Do(c.Request.Context(), body))
	}
}

func (g *ginAsync) Submit(ctx context.Context, body []byte) (string, error) {
	return submit(ctx, g.engine, body)
}

func (g *ginAsync) Watch(ctx context.Context, id string) error { return await(ctx, g.jobs, id) }

func (g *ginAsync) Handler() http.Handler { return g.engine }

func (g *ginAsync) Close(ctx context.Context) error {
	return errors.Join(g.manager.Shutdown(ctx), g.shut())
}
