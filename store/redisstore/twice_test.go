package redisstore_test

import (
	"context"
	"net"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
	"github.com/asyncendpoints/gin-async/store/storetest"
)

// A client repeats a command whose reply was lost. Here each script is run twice and
// the first reply is lost, and nobody notices.
func TestConformanceWhenEachStepIsRunTwice(t *testing.T) {
	client := connect(t, redistest.Shared(t))
	client.AddHook(twice{})
	storetest.Run(t, func(t *testing.T) store.Store {
		return redisstore.New(client, redisstore.WithPrefix(prefix(t)))
	})
}

// twice runs each EVALSHA and each pipeline two times.
type twice struct{}

func (twice) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" {
			if err := next(ctx, cmd); err != nil {
				return err
			}
			cmd.SetErr(nil)
		}
		return next(ctx, cmd)
	}
}

func (twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := next(ctx, cmds); err != nil {
			return err
		}
		return next(ctx, cmds)
	}
}
