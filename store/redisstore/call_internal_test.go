package redisstore

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCallOfAClientThatHeedsNoDeadlines(t *testing.T) {
	s := &Store{detached: true}
	t.Run("an answer that came in time is returned", func(t *testing.T) {
		// On a busy machine the answer may be there before the caller waits for it.
		var crew sync.WaitGroup
		var failures atomic.Int64
		for range 50 {
			crew.Go(func() {
				for range 2000 {
					if _, err := await(t.Context(), s, func(context.Context) (int, error) { return 1, nil }); err != nil {
						failures.Add(1)
					}
				}
			})
		}
		crew.Wait()
		require.Zero(t, failures.Load())
	})
	t.Run("the call ends with its context", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		late := make(chan struct{})
		defer close(late)
		_, err := await(ctx, s, func(context.Context) (int, error) {
			<-late
			return 0, nil
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
