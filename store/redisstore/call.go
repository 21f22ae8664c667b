package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// longestCall bounds each call, whatever its context allows.
const longestCall = 5 * time.Second

// run runs a step and returns its reply. The partition's own key stands before keys.
func (p *partition) run(ctx context.Context, step *redis.Script, keys []string, args ...any) (any, error) {
	all := make([]string, 1, 1+len(keys))
	all[0] = p.key
	all = append(all, keys...)
	reply, err := await(ctx, p.store, func(ctx context.Context) (any, error) {
		return step.Run(ctx, p.store.client, all, args...).Result()
	})
	p.noteHealth(err)
	return reply, err
}

// await makes a call to Redis that ends with its context at the latest.
func await[T any](ctx context.Context, s *Store, call func(context.Context) (T, error)) (T, error) {
	return awaitFor(ctx, s, longestCall, call)
}

// awaitFor is await for a call that may take longer, or not as long.
func awaitFor[T any](ctx context.Context, s *Store, d time.Duration, call func(context.Context) (T, error)) (T, error) {
	if s.err != nil {
		var none T
		return none, s.err
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	if !s.detached {
		reply, err := call(ctx)
		return reply, s.failure(ctx, err)
	}
	type answer struct {
		reply T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		reply, err := call(ctx)
		answers <- answer{reply, err}
	}()
	select {
	case a := <-answers:
		return a.reply, s.failure(ctx, a.err)
	case <-ctx.Done():
		var none T
		return none, s.failure(ctx, ctx.Err())
	}
}

// reloader is a client that keeps a map of a Cluster's masters.
type reloader interface{ ReloadState(ctx context.Context) }

// failure names the store in an error. After one that is not Redis's answer it also
// makes a Cluster client look for new masters: by itself it keeps to a dead one for up
// to a minute.
func (s *Store) failure(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, redis.Nil) {
		return err
	}
	var answered redis.Error
	if s.cluster != nil && !errors.As(err, &answered) {
		s.cluster.ReloadState(context.WithoutCancel(ctx))
	}
	return fmt.Errorf("redisstore: %w", err)
}

// heedsDeadlines reports whether calls of the client end with their contexts.
func heedsDeadlines(client redis.UniversalClient) bool {
	switch c := client.(type) {
	case *redis.Client:
		return c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		return c.Options().ContextTimeoutEnabled
	}
	return false
}
