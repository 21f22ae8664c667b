package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

func TestSettleIsRepeated(t *testing.T) {
	t.Run("until the store works again", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.fail("settle")
			b.run(succeed)
			id := b.job()
			time.Sleep(25 * time.Second)
			b.becomes(id, store.InProgress)
			assert.Less(t, b.tap.count("settle"), 70)
			assert.Greater(t, b.tap.count("settle"), 20)
			assert.Less(t, countLines(b, "cannot settle"), 8)
			b.tap.set(nil)
			time.Sleep(2 * time.Second)
			assert.Equal(t, 1, b.becomes(id, store.Completed).Attempt)
		})
	})

	t.Run("when only its reply was lost, and the job has one outcome", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.once("settle", func(_ context.Context, call func() error) error {
				assert.NoError(t, call())
				return errBroken
			})
			b.run(succeed)
			id := b.job()
			version := b.becomes(id, store.Completed).Version
			time.Sleep(time.Second)
			assert.Equal(t, version, b.becomes(id, store.Completed).Version)
			assert.Equal(t, 2, b.tap.count("settle"))
		})
	})

	t.Run("when the store hangs, each call for a bounded time", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.once("settle", func(ctx context.Context, _ func() error) error { <-ctx.Done(); return ctx.Err() })
			b.run(succeed)
			id := b.job()
			time.Sleep(4 * time.Second)
			b.becomes(id, store.Completed)
		})
	})

	t.Run("only until the lease is lost", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.fail("settle", "renew")
			cfg := b.config(succeed)
			cfg.Queues = map[string]int{"default": 1}
			b.start(cfg)
			id := b.job()
			time.Sleep(10100 * time.Millisecond)
			b.tap.set(nil)
			assert.Equal(t, 1, countLines(b, "the session ended before"))
			time.Sleep(3 * time.Second)
			assert.Equal(t, 2, b.becomes(id, store.Completed).Attempt)
		})
	})

	t.Run("once after a renewal when the store refuses it, and then dropped", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.set(func(_ context.Context, op string, call func() error) error {
				if op == "settle" {
					return store.ErrLeaseLost
				}
				return call()
			})
			b.run(succeed)
			id := b.job()
			b.becomes(id, store.InProgress)
			assert.Equal(t, 2, b.tap.count("settle"))
			assert.Equal(t, 1, b.tap.count("renew"))
			b.tap.set(nil)
			// The store still thinks that this worker has it, so it is given back.
			time.Sleep(10 * time.Second)
			b.becomes(id, store.Completed)
		})
	})

	t.Run("not at all when the store refuses it and the renewal, and the log says so", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.set(func(_ context.Context, op string, call func() error) error {
				if op == "settle" || op == "renew" {
					return store.ErrLeaseLost
				}
				return call()
			})
			b.run(succeed)
			b.becomes(b.job(), store.InProgress)
			assert.Equal(t, 1, b.tap.count("settle"))
			assert.Regexp(t, `the session ended before the attempt was settled.* error="store: lease lost"`, b.lines.String())
		})
	})
}

func TestACanceledJobIsNotCompleted(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var id string
		b.tap.once("settle", func(_ context.Context, call func() error) error {
			b.cancel(id)
			return call()
		})
		id = b.job()
		b.run(succeed)
		b.becomes(id, store.Canceled)
	})
}

func TestSettled(t *testing.T) {
	t.Run("is told what each settled attempt came to, once, and of no attempt that was given back", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			told := make(chan store.State, 10)
			reports := make(chan worker.Report, 3)
			reports <- worker.Report{Postpone: time.Second}
			reports <- worker.Report{Problem: problem("busy"), Retry: true}
			reports <- worker.Report{}
			var id string
			route := worker.Route{
				Handle: func(context.Context, store.Claim) worker.Report { return <-reports },
				Settled: func(ctx context.Context, of string, became store.State) {
					assert.NoError(t, ctx.Err())
					assert.Equal(t, id, of)
					assert.Equal(t, became, b.state(id), "the store has it already")
					told <- became
				},
			}
			b.tap.once("settle", func(_ context.Context, call func() error) error {
				assert.NoError(t, call())
				return errBroken // the reply is lost
			})
			id = b.job()
			b.start(b.configFor(route))
			time.Sleep(time.Minute)
			b.becomes(id, store.Completed)
			close(told)
			var states []store.State
			for state := range told {
				states = append(states, state)
			}
			assert.Equal(t, []store.State{store.Scheduled, store.Completed}, states)
		})
	})
}
