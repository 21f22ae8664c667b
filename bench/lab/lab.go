package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncendpoints/gin-async/bench/redisserver"
)

// Lab is one Redis and what was measured with it in this round. It is for one goroutine.
type Lab struct {
	Plan
	redis *redisserver.Server
	known map[string]any
}

// Open starts a Redis. Close the lab.
func Open(ctx context.Context, plan Plan) (*Lab, error) {
	server, err := redisserver.Start(ctx)
	if err != nil {
		return nil, err
	}
	return &Lab{Plan: plan, redis: server, known: make(map[string]any)}, nil
}

// Close stops the Redis.
func (l *Lab) Close() error { return l.redis.Stop() }

// RedisVersion returns the version of the Redis.
func (l *Lab) RedisVersion(ctx context.Context) (string, error) { return l.redis.Version(ctx) }

// NextRound forgets what was measured.
func (l *Lab) NextRound() { l.known = make(map[string]any) }

// outcome is what a measurement brought.
type outcome[T any] struct {
	value T
	err   error
}

// Once measures what several rows show, once in a round; its error as well.
func Once[T any](l *Lab, name string, measure func() (T, error)) (T, error) {
	if known, ok := l.known[name].(outcome[T]); ok {
		return known.value, known.err
	}
	value, err := measure()
	l.known[name] = outcome[T]{value, err}
	return value, err
}

// runLimit ends a run that hangs.
const runLimit = 15 * time.Minute

// Run measures on an empty Redis. All sites that were opened end with it.
func Run[T any](ctx context.Context, l *Lab, measure func(ctx context.Context, r *Bench) (T, error)) (T, error) {
	var none T
	if err := l.redis.Flush(ctx); err != nil {
		return none, fmt.Errorf("emptying Redis: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	b := &Bench{lab: l}
	defer b.clear()
	return measure(ctx, b)
}
