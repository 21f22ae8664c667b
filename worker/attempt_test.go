package worker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

func TestAttemptOfAContext(t *testing.T) {
	t.Run("the handler sees its job, its number and its deadline", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			seen := make(chan *worker.Attempt, 1)
			b.start(b.configFor(worker.Route{Timeout: time.Hour, Handle: func(ctx context.Context, claim store.Claim) worker.Report {
				attempt, ok := worker.FromContext(ctx)
				assert.True(t, ok)
				deadline, _ := ctx.Deadline()
				assert.Equal(t, deadline, attempt.Deadline)
				seen <- attempt
				return worker.Report{}
			}}))
			id := b.job()
			synctest.Wait()
			attempt := <-seen
			assert.Equal(t, id, attempt.ID)
			assert.Equal(t, "route", attempt.Route)
			assert.Equal(t, 1, attempt.Number)
			assert.Equal(t, 4, attempt.Max)
			assert.Equal(t, time.Hour, time.Until(attempt.Deadline))
		})
	})

	t.Run("another context has none", func(t *testing.T) {
		_, ok := worker.FromContext(t.Context())
		assert.False(t, ok)
	})

	t.Run("handlers see the values of Start's context and not its end", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			type key struct{}
			values := make(chan any, 1)
			w, err := worker.New(b.config(func(ctx context.Context, _ store.Claim) worker.Report {
				assert.NoError(t, ctx.Err())
				values <- ctx.Value(key{})
				return worker.Report{}
			}))
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "v"))
			cancel()
			require.NoError(t, w.Start(ctx))
			b.becomes(b.job(), store.Completed)
			assert.Equal(t, "v", <-values)
			require.NoError(t, w.Shutdown(t.Context()))
		})
	})

	t.Run("what the handler left behind sees its context end with the attempt", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			over := make(chan error, 1)
			b.run(func(ctx context.Context, _ store.Claim) worker.Report {
				go func() { <-ctx.Done(); over <- context.Cause(ctx) }()
				return worker.Report{}
			})
			b.becomes(b.job(), store.Completed)
			assert.ErrorIs(t, <-over, context.Canceled)
		})
	})
}
