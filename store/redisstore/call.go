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

// command is a call of a step as go-redis takes it. What belongs to one job is in it by
// its address, which costs no memory.
type command struct {
	step *step
	args []any
}

// firstKey is where the key of the partition is in a command.
const firstKey = 3

// call begins a command with some more keys, which are appended first, and then its
// arguments.
func (p *partition) call(step *step, keys, args int) command {
	all := make([]any, firstKey+1, firstKey+1+keys+args)
	all[0], all[1], all[2], all[3] = "evalsha", step.hash, 1+keys, p.first
	return command{step, all}
}

// run runs a step and returns its reply. The partition's own key stands before keys.
func (p *partition) run(ctx context.Context, step *step, keys []string, args ...any) (any, error) {
	c := p.call(step, len(keys), len(args))
	for i := range keys {
		c.args = append(c.args, &keys[i])
	}
	c.args = append(c.args, args...)
	return p.send(ctx, c)
}

// send runs a command and returns its reply.
func (p *partition) send(ctx context.Context, c command) (any, error) {
	reply, err := await(ctx, p.store, func(ctx context.Context) (any, error) {
		return c.process(ctx, p.store.client)
	})
	p.noteHealth(err)
	return reply, err
}

// process sends the step's name only, and all of it to a server that does not know it.
func (c command) process(ctx context.Context, client redis.UniversalClient) (any, error) {
	reply, err := processArgs(ctx, client, c.args)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		return processArgs(ctx, client, c.whole())
	}
	return reply, err
}

// whole is the command with all of the step.
func (c command) whole() []any {
	return append([]any{"eval", c.step.source}, c.args[2:]...)
}

func processArgs(ctx context.Context, client redis.UniversalClient, args []any) (any, error) {
	cmd := redis.NewCmd(ctx, args...)
	cmd.SetFirstKeyPos(firstKey)
	_ = client.Process(ctx, cmd) // the same as the command's
	return cmd.Result()
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
	ctx, cancel := atMost(ctx, d)
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

// atMost returns a context that ends in d, or ctx itself if it ends before.
func atMost(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
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
