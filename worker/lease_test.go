package worker_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// lasting is a handler that works for a time or until its context ends.
func lasting(d time.Duration) worker.Handler {
	return func(ctx context.Context, _ store.Claim) worker.Report {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
		return worker.Report{}
	}
}

func TestLeaseIsKept(t *testing.T) {
	t.Run("a job may run for much longer than the lease", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.run(lasting(time.Minute))
			b.start(b.config(lasting(time.Minute)))
			id := b.job()
			time.Sleep(time.Minute)
			assert.Equal(t, 1, b.becomes(id, store.Completed).Attempt)
		})
	})

	t.Run("an outage of the store shorter than the lease loses nothing", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.run(lasting(time.Minute))
			id := b.job()
			b.becomes(id, store.InProgress)
			b.tap.fail("renew")
			time.Sleep(9 * time.Second)
			b.tap.set(nil)
			time.Sleep(51 * time.Second)
			assert.Equal(t, 1, b.becomes(id, store.Completed).Attempt)
			assert.Equal(t, 1, b.tap.count("join"))
			assert.Contains(t, b.lines.String(), "renewing the lease works again")
		})
	})

	t.Run("a process that was paused past its lease gets it back", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			cfg := b.config(lasting(10500 * time.Millisecond))
			cfg.Store = sleepyStore{b.tap}
			b.start(cfg)
			id := b.job()
			// The first renewal begins after 3.3 s and ends after 12 s. The handler
			// returns between, when the store refuses its outcome.
			time.Sleep(11 * time.Second)
			b.becomes(id, store.InProgress)
			time.Sleep(2 * time.Second)
			job := b.becomes(id, store.Completed)
			assert.Equal(t, 1, job.Attempt)
			assert.GreaterOrEqual(t, b.tap.count("settle"), 2)
			assert.Equal(t, 1, b.tap.count("join"))
		})
	})
}

// sleepyStore has sessions that take very long to renew, as in a paused process.
type sleepyStore struct{ store.Workers }

type sleepySession struct{ store.Session }

func (s sleepyStore) Join(ctx context.Context, name string, lease time.Duration) (store.Session, error) {
	inner, err := s.Workers.Join(ctx, name, lease)
	return sleepySession{inner}, err
}

func (s sleepySession) Renew(ctx context.Context) (store.Renewal, error) {
	time.Sleep(8700 * time.Millisecond)
	return s.Session.Renew(context.WithoutCancel(ctx))
}

func TestLeaseIsLost(t *testing.T) {
	t.Run("its attempts are stopped, nothing is written, and the worker joins anew", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			causes := make(chan error, 2)
			b.tap.once("renew", func(context.Context, func() error) error { return store.ErrLeaseLost })
			b.run(until(causes))
			id := b.job()
			time.Sleep(4 * time.Second)
			assert.ErrorIs(t, <-causes, store.ErrLeaseLost)
			assert.Zero(t, b.tap.count("settle")+b.tap.count("release"))
			assert.Equal(t, 2, b.tap.count("join"))
			other := b.job()
			b.becomes(other, store.InProgress)
			// The new session's recovery finds the old session's job.
			time.Sleep(8 * time.Second)
			assert.Equal(t, 2, b.becomes(id, store.InProgress).Attempt)
		})
	})

	for name, renew := range map[string]func(context.Context, string, func() error) error{
		"a store that fails": func(_ context.Context, op string, call func() error) error {
			if op == "renew" {
				return errBroken
			}
			return call()
		},
		"a store that hangs": func(ctx context.Context, op string, call func() error) error {
			if op == "renew" {
				<-ctx.Done()
				return ctx.Err()
			}
			return call()
		},
	} {
		t.Run("with "+name+" it counts as lost when its time is over, not before", func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				causes := make(chan error, 2)
				b.tap.set(renew)
				b.run(until(causes))
				b.job()
				time.Sleep(9900 * time.Millisecond)
				assert.Empty(t, causes)
				time.Sleep(1200 * time.Millisecond)
				require.Len(t, causes, 1)
				assert.ErrorIs(t, <-causes, store.ErrLeaseLost)
			})
		})
	}

	t.Run("a handler that ignores it keeps its slot for 5 s and writes nothing", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			release := make(chan struct{})
			b.tap.once("renew", func(context.Context, func() error) error { return store.ErrLeaseLost })
			cfg := b.config(func(context.Context, store.Claim) worker.Report { <-release; return worker.Report{} })
			cfg.Queues = map[string]int{"default": 1}
			b.start(cfg)
			b.job()
			waiting := b.job()
			time.Sleep(8 * time.Second)
			b.becomes(waiting, store.Queued)
			time.Sleep(time.Second)
			b.becomes(waiting, store.InProgress)
			assert.Zero(t, b.tap.count("settle"))
			close(release)
		})
	})

	t.Run("sessions that are lost as soon as they are opened do not spin", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.set(func(_ context.Context, op string, call func() error) error {
				if op == "claim" || op == "renew" {
					return store.ErrLeaseLost
				}
				return call()
			})
			b.run(succeed)
			time.Sleep(time.Minute)
			assert.Less(t, b.tap.count("join"), 160)
			assert.Greater(t, b.tap.count("join"), 30)
			b.tap.set(nil)
			id := b.job()
			time.Sleep(2 * time.Second)
			b.becomes(id, store.Completed)
		})
	})

	t.Run("an attempt that the store gave to somebody else is stopped alone", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			causes := make(chan error, 2)
			b.run(until(causes))
			lost, kept := b.job(), b.job()
			b.becomes(lost, store.InProgress)
			b.tap.editRenewals(func(r *store.Renewal) {
				r.Held = slices.DeleteFunc(r.Held, func(ref store.Ref) bool { return ref.ID == lost })
			})
			time.Sleep(4 * time.Second)
			require.Len(t, causes, 1)
			assert.ErrorIs(t, <-causes, store.ErrLeaseLost)
			assert.Equal(t, store.InProgress, b.state(kept))
			assert.Zero(t, b.tap.count("settle"))
		})
	})

	t.Run("an attempt whose settling is under way is not taken for one", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.once("settle", func(_ context.Context, call func() error) error {
				err := call()
				time.Sleep(4 * time.Second) // a renewal comes before the reply
				return err
			})
			b.run(succeed)
			id := b.job()
			time.Sleep(5 * time.Second)
			b.becomes(id, store.Completed)
			assert.Equal(t, 1, b.tap.count("renew"))
			assert.Zero(t, countLines(b, "no longer held"))
		})
	})
}

func TestAClaimMadeDuringARenewalIsKept(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.tap.once("renew", func(_ context.Context, call func() error) error {
			err := call()
			time.Sleep(time.Second) // the reply, which does not name the new claim, is slow
			return err
		})
		b.run(lasting(10 * time.Second))
		time.Sleep(4 * time.Second)
		id := b.job()
		time.Sleep(10 * time.Second)
		assert.Equal(t, 1, b.becomes(id, store.Completed).Attempt)
	})
}

func TestClaimWhoseReplyWasLost(t *testing.T) {
	t.Run("its job is given back after two renewals and the attempt is not counted", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			id := b.job()
			b.tap.once("claim", func(_ context.Context, call func() error) error {
				require.NoError(t, call())
				return errBroken
			})
			b.run(succeed)
			time.Sleep(6 * time.Second)
			b.becomes(id, store.InProgress)
			time.Sleep(time.Second)
			assert.Equal(t, 1, b.becomes(id, store.Completed).Attempt)
		})
	})

	t.Run("giving it back is repeated when it fails", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			id := b.job()
			var claimFailed, releaseFailed atomic.Bool
			b.tap.set(func(_ context.Context, op string, call func() error) error {
				err := call()
				if op == "claim" && claimFailed.CompareAndSwap(false, true) {
					return errBroken
				}
				if op == "release" && releaseFailed.CompareAndSwap(false, true) {
					return errBroken // the reply of the release was lost too
				}
				return err
			})
			b.run(succeed)
			time.Sleep(7 * time.Second)
			assert.Equal(t, 1, b.becomes(id, store.Completed).Attempt)
			time.Sleep(time.Minute)
			assert.Equal(t, 1, b.tap.count("release"), "the next renewal no longer names it")
		})
	})

	t.Run("one that is only slow is not given back", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			id := b.job()
			b.tap.once("claim", func(_ context.Context, call func() error) error {
				err := call()
				time.Sleep(9 * time.Second)
				return err
			})
			b.run(succeed)
			time.Sleep(8 * time.Second)
			assert.GreaterOrEqual(t, b.tap.count("renew"), 2)
			b.becomes(id, store.InProgress)
			time.Sleep(2 * time.Second)
			assert.Equal(t, 1, b.becomes(id, store.Completed).Attempt)
			assert.Zero(t, b.tap.count("release"))
		})
	})
}

func TestJoining(t *testing.T) {
	t.Run("a store that cannot be reached at the start is joined when it can", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.fail("join")
			id := b.job()
			b.run(succeed)
			time.Sleep(30 * time.Second)
			assert.Less(t, b.tap.count("join"), 90)
			assert.Less(t, countLines(b, "cannot join"), 8)
			b.tap.set(nil)
			time.Sleep(2 * time.Second)
			b.becomes(id, store.Completed)
		})
	})

	t.Run("a store that hangs is not waited for without end", func(t *testing.T) {
		inBubble(t, func(t *testing.T, b *bench) {
			b.tap.once("join", func(ctx context.Context, _ func() error) error { <-ctx.Done(); return ctx.Err() })
			id := b.job()
			b.run(succeed)
			time.Sleep(5 * time.Second)
			b.becomes(id, store.Completed)
			synctest.Wait()
		})
	})
}
