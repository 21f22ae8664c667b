package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// shutdown returns how long Shutdown took and what it said.
func shutdown(ctx context.Context, w *worker.Worker) (time.Duration, error) {
	began := time.Now()
	err := w.Shutdown(ctx)
	return time.Since(began), err
}

func TestShutdownWithinGrace(t *testing.T) {
	t.Run("running attempts end as if nothing was, and nothing more is claimed", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			w := b.run(lasting(20 * time.Second))
			var running []string
			for range 4 {
				running = append(running, b.job())
			}
			waiting := b.job()
			synctest.Wait()
			took, err := shutdown(t.Context(), w)
			require.NoError(t, err)
			assert.Equal(t, 20*time.Second, took)
			for _, id := range running {
				b.becomes(id, store.Completed)
			}
			assert.Equal(t, 0, b.becomes(waiting, store.Queued).Attempt)
			stats, err := b.jobs.Stats(t.Context())
			require.NoError(t, err)
			assert.Zero(t, stats.Sessions, "the session was left")
		})
	})

	t.Run("an idle worker stops at once", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			w := b.run(succeed)
			synctest.Wait()
			took, err := shutdown(t.Context(), w)
			require.NoError(t, err)
			assert.Zero(t, took)
		})
	})

	t.Run("jobs of a claim that was under way are given back without being run", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			id := b.job()
			b.tap.once("claim", func(_ context.Context, call func() error) error {
				err := call()
				time.Sleep(time.Second)
				return err
			})
			w := b.run(func(context.Context, store.Claim) worker.Report {
				t.Error("the handler was called")
				return worker.Report{}
			})
			synctest.Wait()
			took, err := shutdown(t.Context(), w)
			require.NoError(t, err)
			assert.Equal(t, time.Second, took)
			assert.Equal(t, 0, b.becomes(id, store.Queued).Attempt)
		})
	})
}

func TestShutdownOverGrace(t *testing.T) {
	t.Run("attempts are stopped with ErrShutdown, given back to the head of the queue, not counted", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			causes := make(chan error, 1)
			cfg := b.config(until(causes))
			cfg.Queues = map[string]int{"default": 1}
			w := b.start(cfg)
			id, next := b.job(), b.job()
			synctest.Wait()
			took, err := shutdown(t.Context(), w)
			require.NoError(t, err)
			assert.Equal(t, 30*time.Second, took)
			assert.ErrorIs(t, <-causes, worker.ErrShutdown)
			assert.Equal(t, 0, b.becomes(id, store.Queued).Attempt)

			order := make(chan string, 2)
			cfg = b.config(gate(order, nil))
			cfg.Queues = map[string]int{"default": 1}
			b.start(cfg)
			synctest.Wait()
			assert.Equal(t, id, <-order)
			b.becomes(next, store.Queued)
		})
	})

	t.Run("a context that is done cuts the grace short", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			w := b.run(until(make(chan error, 1)))
			id := b.job()
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			took, err := shutdown(ctx, w)
			require.NoError(t, err)
			assert.Equal(t, 3*time.Second, took)
			b.becomes(id, store.Queued)
		})
	})

	t.Run("a negative grace is none", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			cfg := b.config(until(make(chan error, 1)))
			cfg.Grace = -1
			w := b.start(cfg)
			id := b.job()
			synctest.Wait()
			took, err := shutdown(t.Context(), w)
			require.NoError(t, err)
			assert.Zero(t, took)
			b.becomes(id, store.Queued)
		})
	})

	t.Run("handlers that do not stop are left behind after 2 s and their jobs given back", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			release := make(chan struct{})
			w := b.run(func(ctx context.Context, _ store.Claim) worker.Report {
				attempt, _ := worker.FromContext(ctx)
				assert.NoError(t, attempt.Progress(ctx, 1, ""))
				<-release
				assert.ErrorIs(t, attempt.Progress(ctx, 2, ""), worker.ErrShutdown)
				return worker.Report{}
			})
			id := b.job()
			synctest.Wait()
			took, err := shutdown(t.Context(), w)
			require.NoError(t, err)
			assert.Equal(t, 32*time.Second, took)
			job := b.becomes(id, store.Queued)
			assert.Equal(t, 0, job.Attempt)
			assert.Equal(t, 1, countLines(b, "goroutine is abandoned"))
			close(release)
			assert.Equal(t, job.Version, b.becomes(id, store.Queued).Version)
		})
	})
}

func TestShutdownWhenTheStoreFails(t *testing.T) {
	t.Run("a session that cannot be left is reported", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			w := b.run(succeed)
			synctest.Wait()
			b.tap.fail("leave")
			took, err := shutdown(t.Context(), w)
			assert.ErrorIs(t, err, errBroken)
			assert.LessOrEqual(t, took, 5*time.Second)
			assert.Greater(t, b.tap.count("leave"), 3)
		})
	})

	t.Run("an outcome that cannot be written is given up and its job released", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.fail("settle")
			w := b.run(succeed)
			id := b.job()
			synctest.Wait()
			took, err := shutdown(t.Context(), w)
			require.NoError(t, err)
			assert.LessOrEqual(t, took, 33*time.Second)
			b.becomes(id, store.Queued)
		})
	})

	t.Run("a lease that is lost while draining is reported", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			causes := make(chan error, 1)
			w := b.run(until(causes))
			b.job()
			synctest.Wait()
			b.tap.fail("renew")
			took, err := shutdown(t.Context(), w)
			assert.ErrorIs(t, err, store.ErrLeaseLost)
			assert.ErrorIs(t, <-causes, store.ErrLeaseLost)
			assert.Less(t, took, 11*time.Second)
			assert.Zero(t, b.tap.count("leave"))
		})
	})

	t.Run("handlers that ignore a lost lease are left behind after 2 s", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			release := make(chan struct{})
			w := b.run(func(context.Context, store.Claim) worker.Report { <-release; return worker.Report{} })
			b.job()
			synctest.Wait()
			b.tap.once("renew", func(context.Context, func() error) error { return store.ErrLeaseLost })
			took, err := shutdown(t.Context(), w)
			assert.ErrorIs(t, err, store.ErrLeaseLost)
			assert.Less(t, took, 5500*time.Millisecond)
			close(release)
		})
	})

	t.Run("the session is left after the last write", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			var writing atomic.Int32
			b.tap.set(func(_ context.Context, op string, call func() error) error {
				switch op {
				case "settle":
					writing.Add(1)
					defer writing.Add(-1)
					time.Sleep(700 * time.Millisecond)
					return errBroken
				case "leave":
					assert.Zero(t, writing.Load())
				}
				return call()
			})
			cfg := b.config(succeed)
			cfg.Grace = -1
			w := b.start(cfg)
			id := b.job()
			synctest.Wait()
			require.NoError(t, w.Shutdown(t.Context()))
			b.becomes(id, store.Queued)
		})
	})

	t.Run("a worker that never reached the store stops at once", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.set(func(ctx context.Context, _ string, _ func() error) error { <-ctx.Done(); return ctx.Err() })
			w := b.run(succeed)
			time.Sleep(10 * time.Second)
			took, err := shutdown(t.Context(), w)
			require.NoError(t, err)
			assert.Zero(t, took)
		})
	})

	t.Run("handlers of a lost session are waited for until they are abandoned", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			release := make(chan struct{})
			w := b.run(func(context.Context, store.Claim) worker.Report { <-release; return worker.Report{} })
			b.job()
			synctest.Wait()
			b.tap.fail("renew", "join")
			time.Sleep(11 * time.Second)
			took, err := shutdown(t.Context(), w)
			require.NoError(t, err)
			assert.LessOrEqual(t, took, 5*time.Second)
			close(release)
		})
	})
}

func TestLifecycle(t *testing.T) {
	t.Run("Shutdown may be called again and at once by many", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			w := b.run(lasting(10 * time.Second))
			id := b.job()
			synctest.Wait()
			errs := make(chan error, 5)
			for range 5 {
				go func() { errs <- w.Shutdown(context.Background()) }()
			}
			for range 5 {
				assert.NoError(t, <-errs)
			}
			assert.NoError(t, w.Shutdown(t.Context()))
			b.becomes(id, store.Completed)
			assert.Equal(t, 1, b.tap.count("leave"))
		})
	})

	t.Run("a later Shutdown with less patience counts", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			w := b.run(until(make(chan error, 1)))
			b.job()
			synctest.Wait()
			patient := make(chan time.Duration, 1)
			go func() {
				took, _ := shutdown(context.Background(), w)
				patient <- took
			}()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			assert.NoError(t, w.Shutdown(ctx))
			assert.Equal(t, time.Second, <-patient)
		})
	})

	t.Run("a second Start is an error", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			w := b.run(succeed)
			assert.ErrorContains(t, w.Start(t.Context()), "Start was called before")
		})
	})

	t.Run("Shutdown before Start is no error, Start after it is", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			w, err := worker.New(b.config(succeed))
			require.NoError(t, err)
			require.NoError(t, w.Shutdown(t.Context()))
			require.NoError(t, w.Shutdown(t.Context()))
			assert.ErrorContains(t, w.Start(t.Context()), "after Shutdown")
		})
	})
}
