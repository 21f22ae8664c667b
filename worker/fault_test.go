package worker_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// kinds are the jobs of the fault scenario, each named after its request, with the
// state that it must end in whatever the store does.
var kinds = []struct {
	request string
	want    store.State
}{
	{"ok", store.Completed},
	{"slow", store.Completed},
	{"flaky", store.Completed},
	{"delayed", store.Completed},
	{"bad", store.Failed},
	{"panic", store.Failed},
	{"timeout", store.Failed},
	{"stopped", store.Canceled},
}

func handleKind(ctx context.Context, claim store.Claim) worker.Report {
	attempt, _ := worker.FromContext(ctx)
	switch kind := string(claim.Request); {
	case kind == "slow":
		for i := range 4 {
			_ = attempt.Progress(ctx, float64(25*i), kind)
			if !wait(ctx, 500*time.Millisecond) {
				return worker.Report{}
			}
		}
	case kind == "flaky" && attempt.Number < 2, kind == "timeout" && !wait(ctx, time.Hour), kind == "stopped" && !wait(ctx, time.Hour):
		return worker.Report{Problem: problem("busy"), Retry: true}
	case kind == "bad":
		return worker.Report{Problem: problem("bad")}
	case kind == "panic":
		panic(kind)
	}
	return worker.Report{Result: &store.Result{Response: store.Response{Status: 200}}}
}

func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// scenario runs one job of each kind, first by a worker that is shut down while
// jobs run, then by a second one, and asserts how they end.
func scenario(t *testing.T, b *bench, patience time.Duration) {
	record := &record{Workers: b.tap, ends: map[string][]store.State{}}
	cfg := b.configFor(worker.Route{Handle: handleKind, Timeout: 5 * time.Second, Backoff: quick()})
	cfg.Store = record
	cfg.Queues = map[string]int{"default": 6}
	cfg.PollInterval = 5 * time.Second
	first := b.start(cfg)
	ids := make([]string, len(kinds))
	for i, kind := range kinds {
		ids[i] = b.job(attempts(3), func(j *store.NewJob) {
			j.Request = []byte(kind.request)
			if kind.request == "delayed" {
				j.Delay = 2 * time.Second
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	b.cancel(ids[len(ids)-1])
	time.Sleep(500 * time.Millisecond)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_ = first.Shutdown(over)

	second := b.start(cfg)
	time.Sleep(patience)
	b.tap.set(nil)
	time.Sleep(time.Minute)
	require.NoError(t, second.Shutdown(t.Context()))
	for i, kind := range kinds {
		job := b.becomes(ids[i], kind.want)
		assert.LessOrEqual(t, job.Attempt, 3, kind.request)
		assert.LessOrEqual(t, len(record.ends[ids[i]]), 1, "outcomes of %s", kind.request)
		for _, state := range record.ends[ids[i]] {
			assert.Equal(t, kind.want, state, kind.request)
		}
	}
}

// record keeps the terminal outcomes that a store accepted, one for each claim.
type record struct {
	store.Workers
	mu   sync.Mutex
	seen map[store.Ref]bool
	ends map[string][]store.State
}

type recordedSession struct {
	store.Session
	record *record
}

func (r *record) Join(ctx context.Context, name string, lease time.Duration) (store.Session, error) {
	s, err := r.Workers.Join(ctx, name, lease)
	return &recordedSession{s, r}, err
}

func (s *recordedSession) Settle(ctx context.Context, ref store.Ref, o store.Outcome) (store.State, error) {
	state, err := s.Session.Settle(ctx, ref, o)
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	if err == nil && state.Terminal() && !s.record.seen[ref] {
		if s.record.seen == nil {
			s.record.seen = map[store.Ref]bool{}
		}
		s.record.seen[ref] = true
		s.record.ends[ref.ID] = append(s.record.ends[ref.ID], state)
	}
	return state, err
}

// TestFaultSweep fails the first call of an operation on the store, then the second
// and so on, before it is applied and after, until a run meets no fault.
func TestFaultSweep(t *testing.T) {
	for _, op := range []string{"join", "claim", "settle", "report", "release", "renew", "reclaim", "leave"} {
		for _, applied := range []bool{false, true} {
			t.Run(fmt.Sprintf("each job ends as it must when one %s fails; applied: %v", op, applied), func(t *testing.T) {
				target := 0
				for failNth(t, op, target, applied) && !t.Failed() {
					target++
				}
				assert.Positive(t, target, "the scenario has a %s", op)
			})
		}
	}
}

// failNth runs the scenario with one fault and reports whether it was met.
func failNth(t *testing.T, op string, target int, applied bool) (met bool) {
	inBubble(t, func(t *testing.T, b *bench) {
		var calls atomic.Int64
		b.tap.set(func(_ context.Context, is string, call func() error) error {
			if is != op || calls.Add(1) != int64(target)+1 {
				return call()
			}
			if applied {
				_ = call()
			}
			return errBroken
		})
		scenario(t, b, 20*time.Second)
		if t.Failed() {
			t.Logf("call %d of %s failed", target, op)
		}
		met = calls.Load() > int64(target)
	})
	return met
}

// TestFaultStorm fails a third of all operations for a while.
func TestFaultStorm(t *testing.T) {
	for seed := range uint64(25) {
		t.Run(fmt.Sprintf("each job ends as it must after a storm; seed %d", seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				var mu sync.Mutex
				random := rand.New(rand.NewPCG(seed, 1))
				b.tap.set(func(_ context.Context, _ string, call func() error) error {
					mu.Lock()
					dice := random.IntN(6)
					mu.Unlock()
					if dice == 0 {
						return errBroken
					}
					err := call()
					if dice == 1 {
						return errBroken
					}
					return err
				})
				scenario(t, b, 2*time.Second)
				synctest.Wait()
			})
		})
	}
}
