package contestant

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// connect makes a client as the README tells to, with its calls counted.
func connect(setup Setup, work Work, hooks ...redis.Hook) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: setup.Redis, ContextTimeoutEnabled: true})
	client.AddHook(calls{work.Called})
	for _, hook := range hooks {
		client.AddHook(hook)
	}
	return client
}

// calls counts the calls of a client. A pipeline is one call.
type calls struct{ called func() }

func (h calls) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h calls) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.called()
		return next(ctx, cmd)
	}
}

func (h calls) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		h.called()
		return next(ctx, cmds)
	}
}

// completions tells of each script of asynq that ended a job: the third key of those is
// the set of the completed ones.
type completions struct{ kept func(n int) }

// thirdKey is its place in EVALSHA sha number key key key.
const thirdKey = 5

func (h completions) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h completions) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if args := cmd.Args(); err == nil && len(args) > thirdKey {
			if key, ok := args[thirdKey].(string); ok && strings.HasSuffix(key, ":completed") {
				h.kept(1)
			}
		}
		return err
	}
}

func (h completions) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
