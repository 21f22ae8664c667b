package worker_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// gate is a handler that waits to be let go, and tells which job it runs.
func gate(started chan<- string, release <-chan struct{}) worker.Handler {
	return func(ctx context.Context, claim store.Claim) worker.Report {
		started <- claim.Ref.ID
		select {
		case <-release:
		case <-ctx.Done():
		}
		return worker.Report{}
	}
}

func TestDispatcherClaims(t *testing.T) {
	t.Run("all free slots of all queues are filled with one call", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			for i := range 10 {
				b.job(inQueue([]string{"a", "b"}[i%2]))
			}
			release := make(chan struct{})
			started := make(chan string, 20)
			cfg := b.config(gate(started, release))
			cfg.Queues = map[string]int{"a": 3, "b": 2, "off": 0}
			b.start(cfg)
			synctest.Wait()
			require.Len(t, b.tap.claimed(), 1)
			assert.ElementsMatch(t, []store.Want{{Queue: "a", Max: 3}, {Queue: "b", Max: 2}}, b.tap.claimed()[0])
			assert.Len(t, started, 5)
			close(release)
			synctest.Wait()
			assert.Len(t, started, 10)
		})
	})

	t.Run("slots freed while a claim is under way are filled with the next call", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			for range 8 {
				b.job()
			}
			b.tap.set(func(_ context.Context, op string, call func() error) error {
				if op == "claim" {
					time.Sleep(time.Millisecond)
				}
				return call()
			})
			b.run(func(context.Context, store.Claim) worker.Report {
				time.Sleep(10 * time.Millisecond)
				return worker.Report{}
			})
			time.Sleep(30 * time.Millisecond)
			// One for the first four; one for the first slot freed and one for the other
			// three; the queue is empty after that, which the last call found out.
			assert.LessOrEqual(t, b.tap.count("claim"), 5)
			stats, err := b.jobs.Stats(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 8, stats.Finished)
		})
	})

	t.Run("a freed slot alone does not ask an empty queue again", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.job()
			cfg := b.config(succeed)
			cfg.PollInterval = time.Hour
			b.start(cfg)
			synctest.Wait()
			assert.Equal(t, 1, b.tap.count("claim"))
		})
	})

	t.Run("a full worker does not ask at all", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			for range 5 {
				b.job()
			}
			release := make(chan struct{})
			b.run(gate(make(chan string, 5), release))
			time.Sleep(time.Minute)
			assert.Equal(t, 1, b.tap.count("claim"))
			close(release)
		})
	})
}

func TestGoroutinesOfAWorker(t *testing.T) {
	t.Run("there is one for each running job, and few are kept when all are over", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			const slots = 500
			const foreign = 3 // goroutines that the runtime may begin meanwhile
			for range 2 * slots {
				b.job()
			}
			cfg := b.config(lasting(time.Second))
			cfg.Queues = map[string]int{"default": slots}
			b.start(cfg)
			synctest.Wait()
			idle := runtime.NumGoroutine() - slots
			for range 2 {
				stats, err := b.jobs.Stats(t.Context())
				require.NoError(t, err)
				assert.Equal(t, slots, stats.InProgress)
				assert.LessOrEqual(t, runtime.NumGoroutine()-idle, slots+foreign)
				time.Sleep(time.Second)
				synctest.Wait()
			}
			assert.LessOrEqual(t, runtime.NumGoroutine()-idle, 128+foreign)
		})
	})
}

func TestDispatcherWakes(t *testing.T) {
	t.Run("a job that arrives is run without polling", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			cfg := b.config(succeed)
			cfg.PollInterval = time.Hour
			b.start(cfg)
			synctest.Wait()
			began := time.Now()
			id := b.job()
			b.becomes(id, store.Completed)
			assert.Zero(t, time.Since(began))
		})
	})

	t.Run("a job that arrives while a claim is under way is not missed", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			var late string
			b.tap.set(func(_ context.Context, op string, call func() error) error {
				err := call()
				if op == "claim" && late == "" {
					late = b.job()
				}
				return err
			})
			cfg := b.config(succeed)
			cfg.PollInterval = time.Hour
			b.start(cfg)
			synctest.Wait()
			b.becomes(late, store.Completed)
		})
	})

	t.Run("a scheduled job is run when it is due", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			cfg := b.config(succeed)
			cfg.PollInterval = time.Hour
			b.start(cfg)
			synctest.Wait()
			created := time.Now()
			id := b.job(delayed(90 * time.Second))
			time.Sleep(89 * time.Second)
			b.becomes(id, store.Scheduled)
			time.Sleep(time.Second)
			job := b.becomes(id, store.Completed)
			assert.Equal(t, 90*time.Second, job.StartedAt.Sub(created).Round(time.Millisecond))
			assert.LessOrEqual(t, b.tap.count("claim"), 4)
		})
	})

	t.Run("polling finds jobs that no hint told of", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			cfg := b.config(succeed)
			cfg.Store = deafStore{b.tap}
			b.start(cfg)
			synctest.Wait()
			id := b.job()
			time.Sleep(999 * time.Millisecond)
			b.becomes(id, store.Queued)
			time.Sleep(time.Millisecond)
			b.becomes(id, store.Completed)
		})
	})
}

// deafStore has sessions that never give a hint.
type deafStore struct{ store.Workers }

type deafSession struct{ store.Session }

func (d deafStore) Join(ctx context.Context, name string, lease time.Duration) (store.Session, error) {
	s, err := d.Workers.Join(ctx, name, lease)
	return deafSession{s}, err
}

func (deafSession) Arrived() <-chan struct{} { return nil }

func TestDispatcherOutage(t *testing.T) {
	t.Run("failing claims are repeated at a bounded pace and logged sparsely", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.fail("claim")
			b.run(succeed)
			id := b.job()
			time.Sleep(time.Minute)
			assert.Less(t, b.tap.count("claim"), 160)
			assert.Greater(t, b.tap.count("claim"), 45)
			assert.Less(t, countLines(b, "cannot claim"), 10)
			b.tap.set(nil)
			time.Sleep(2 * time.Second)
			b.becomes(id, store.Completed)
			assert.Equal(t, 1, countLines(b, "claiming jobs works again"))
		})
	})

	t.Run("a store that rounds the due time to nothing is not asked in a spin", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.job(delayed(time.Hour))
			cfg := b.config(succeed)
			cfg.Store = impatientStore{b.tap}
			b.start(cfg)
			time.Sleep(time.Second)
			assert.LessOrEqual(t, b.tap.count("claim"), 1001)
		})
	})
}

// impatientStore says that the next job is due now, and has none.
type impatientStore struct{ store.Workers }

type impatientSession struct{ store.Session }

func (s impatientStore) Join(ctx context.Context, name string, lease time.Duration) (store.Session, error) {
	inner, err := s.Workers.Join(ctx, name, lease)
	return impatientSession{inner}, err
}

func (s impatientSession) Claim(ctx context.Context, want []store.Want) (store.Batch, error) {
	batch, err := s.Session.Claim(ctx, want)
	batch.NextDue = 0
	return batch, err
}

func TestTwoWorkersOnOneStoreShareTheJobs(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ran := make(chan string, 100)
		for i := range 2 {
			cfg := b.config(func(ctx context.Context, claim store.Claim) worker.Report {
				time.Sleep(time.Second)
				ran <- fmt.Sprint(i)
				return worker.Report{}
			})
			b.start(cfg)
		}
		var ids []string
		for range 40 {
			ids = append(ids, b.job())
		}
		time.Sleep(6 * time.Second)
		for _, id := range ids {
			assert.Equal(t, 1, b.becomes(id, store.Completed).Attempt)
		}
		close(ran)
		by := map[string]int{}
		for who := range ran {
			by[who]++
		}
		assert.Equal(t, map[string]int{"0": 20, "1": 20}, by)
	})
}
