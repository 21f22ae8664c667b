package chaos_test

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// slowWaking is a hook of a Redis client: a process that was asleep for longer than its
// lease takes some time to ask for its lease, while all else that it does goes on. So
// what it writes late is refused by the store, not kept back by the process itself.
type slowWaking struct {
	lease, delay time.Duration
	latest       atomic.Pointer[time.Time] // renewal
}

func (s *slowWaking) DialHook(next redis.DialHook) redis.DialHook { return next }

func (s *slowWaking) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (s *slowWaking) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if renewsLease(command.Args()) {
			now := time.Now()
			if before := s.latest.Swap(&now); before != nil && now.Sub(*before) > s.lease {
				<-time.After(s.delay)
			}
		}
		return next(ctx, command)
	}
}

// renewsLease reports whether a command is redislock's, for the lock of a session.
func renewsLease(args []any) bool {
	if len(args) < 4 || args[2] != 1 {
		return false
	}
	key, _ := args[3].(string)
	return strings.Contains(key, ":lock:")
}
