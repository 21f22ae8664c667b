package worker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// die claims n jobs for a worker that does nothing more.
func (b *bench) die(n int) {
	b.t.Helper()
	s, err := b.jobs.Join(b.t.Context(), "dead", 10*time.Second)
	require.NoError(b.t, err)
	batch, err := s.Claim(b.t.Context(), []store.Want{{Queue: "default", Max: n}})
	require.NoError(b.t, err)
	require.Len(b.t, batch.Claims, n)
}

func TestRecovery(t *testing.T) {
	t.Run("the jobs of a dead worker run again within the lease and 2 s, the attempt counted", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			id := b.job()
			b.die(1)
			b.run(succeed)
			time.Sleep(9 * time.Second)
			b.becomes(id, store.InProgress)
			time.Sleep(3 * time.Second)
			assert.Equal(t, 2, b.becomes(id, store.Completed).Attempt)
			assert.Contains(t, b.lines.String(), "recovered jobs of dead workers")
		})
	})

	t.Run("a job that lost its worker in its last attempt fails", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			id := b.job(attempts(1))
			b.die(1)
			b.run(succeed)
			time.Sleep(12 * time.Second)
			assert.Equal(t, store.WorkerLost(), b.becomes(id, store.Failed).Problem)
		})
	})

	t.Run("all jobs are taken at once, however many they are", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			for range 250 {
				b.job(attempts(1))
			}
			b.die(250)
			b.run(succeed)
			time.Sleep(12 * time.Second)
			stats, err := b.jobs.Stats(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 250, stats.Finished)
		})
	})

	t.Run("it goes on after errors, which are logged sparsely", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			id := b.job()
			b.die(1)
			b.tap.fail("reclaim")
			b.run(succeed)
			time.Sleep(time.Minute)
			b.becomes(id, store.InProgress)
			assert.Less(t, countLines(b, "cannot recover jobs"), 8)
			b.tap.set(nil)
			time.Sleep(2 * time.Second)
			b.becomes(id, store.Completed)
		})
	})

	t.Run("it rests while the worker's own lease is not known to be good", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			cfg := b.configFor(worker.Route{Handle: lasting(time.Hour)})
			cfg.Store = sleepyStore{b.tap}
			b.start(cfg)
			id := b.job()
			time.Sleep(11800 * time.Millisecond)
			before := b.tap.count("reclaim")
			assert.LessOrEqual(t, before, 10)
			assert.Equal(t, 1, b.becomes(id, store.InProgress).Attempt)
			time.Sleep(2 * time.Second)
			assert.Greater(t, b.tap.count("reclaim"), before)
			assert.Equal(t, 1, b.becomes(id, store.InProgress).Attempt)
		})
	})
}
