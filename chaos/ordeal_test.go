package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// ordeal is two workers, one after the other, and a client of theirs, who all suffer the
// same loss. It returns errors instead of failing a test: many run side by side.
type ordeal struct {
	loss     loss
	store    *redisstore.Store // with the loss
	observer *redisstore.Store // without
	steps    *atomic.Int64
	ledger   *ledger
	jobs     map[string]string // ids by route
	// end lets held jobs end, yield lets the stubborn one succeed.
	end, yield atomic.Bool
}

// fates are how the jobs of an ordeal end, by route.
var fates = map[string]store.State{
	"plain": store.Completed, "keyed": store.Completed, "flaky": store.Completed, "stubborn": store.Completed,
	"running": store.Canceled, "waiting": store.Canceled, "held": store.Completed, "orphan": store.Completed,
}

func TestWorkersSufferTheLossOfAnyStep(t *testing.T) {
	server := redistest.Start(t, "appendonly yes", "appendfsync no", "auto-aof-rewrite-percentage 0")
	whole := newOrdeal(t, server, loss{})
	require.NoError(t, whole.run(t.Context()))
	n := int(whole.steps.Load())
	t.Logf("%d steps without a loss", n)
	for name, l := range losses() {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			var all []*ordeal
			// The short form tries every third step.
			stride := either(3, 1)
			for l.k = 1 + rand.IntN(stride); l.k <= n; l.k += stride {
				all = append(all, newOrdeal(t, server, l))
			}
			undergo(t, all)
			t.Logf("%d ordeals, from that of step %d on, in %v", len(all), all[0].loss.k, time.Since(began).Round(time.Second))
			writes := readWrites(t, server.Dir())
			for _, o := range all {
				o.mustHaveEndedEach(t, writes)
			}
		})
	}
}

// undergo runs ordeals, some at a time: they mostly wait.
func undergo(t *testing.T, all []*ordeal) {
	t.Helper()
	errs := make([]error, len(all))
	places := make(chan struct{}, 32)
	var crew sync.WaitGroup
	for i, o := range all {
		crew.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			errs[i] = o.run(t.Context())
		})
	}
	crew.Wait()
	failed := false
	for i, err := range errs {
		failed = !assert.NoError(t, err, "%v", all[i].loss) || failed
	}
	require.False(t, failed)
}

func newOrdeal(t *testing.T, server *redistest.Server, l loss) *ordeal {
	t.Helper()
	client, steps := l.connect(t, server)
	prefix := redisstore.WithPrefix("ordeal:" + store.NewID('a'))
	return &ordeal{
		loss: l, steps: steps, ledger: newLedger(), jobs: make(map[string]string),
		store: redisstore.New(client, prefix), observer: redisstore.New(server.Client(t), prefix),
	}
}

// run goes through it.
func (o *ordeal) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := o.dieHolding(ctx); err != nil {
		return err
	}
	first, err := o.startWorker()
	if err != nil {
		return err
	}
	err = o.control(ctx)
	// What cannot be given back in time returns when the lease runs out.
	_ = first.Shutdown(context.Background())
	o.end.Store(true)
	second, startErr := o.startWorker()
	if startErr != nil {
		return errors.Join(err, startErr)
	}
	for route, fate := range fates {
		if id := o.jobs[route]; id != "" && route != "plain" {
			err = errors.Join(err, o.await(ctx, route, fate))
		}
	}
	err = errors.Join(err, o.awaitNothingLeft(ctx), o.checkRuns(ctx))
	_ = second.Shutdown(context.Background())
	return err
}

// await waits until a job is in a state.
func (o *ordeal) await(ctx context.Context, route string, state store.State) error {
	var last store.Job
	for ; ; letPass(10 * time.Millisecond) {
		job, err := o.observer.Get(ctx, o.jobs[route])
		if err != nil {
			return fmt.Errorf("waiting until %s is %s: %w: %+v", route, state, err, last)
		}
		last = job
		if job.State == state {
			return nil
		}
		if job.State.Terminal() && route != "stubborn" {
			return fmt.Errorf("%s is not %s: %+v", route, state, job)
		}
	}
}

// awaitNothingLeft waits for jobs that nobody follows.
func (o *ordeal) awaitNothingLeft(ctx context.Context) error {
	var last store.Stats
	for ; ; letPass(10 * time.Millisecond) {
		left, err := o.observer.Stats(ctx)
		if err != nil {
			return fmt.Errorf("waiting until nothing is left: %w: %+v", err, last)
		}
		if left.Queued+left.Scheduled+left.InProgress == 0 {
			return nil
		}
		last = left
	}
}

// checkRuns returns what is wrong with the jobs and the runs of their handlers.
func (o *ordeal) checkRuns(ctx context.Context) error {
	var wrong []error
	for route, id := range o.jobs {
		if route == "plain" {
			continue
		}
		runs := o.ledger.of(id)
		job, data, err := o.observer.Result(ctx, id)
		if err != nil || job.Attempt > job.MaxAttempts || job.State != fates[route] {
			wrong = append(wrong, fmt.Errorf("%s: %w: %+v", route, err, job))
		}
		attempts := job.Attempt
		if route == "held" {
			attempts++ // one was given back
		}
		if len(runs) > attempts {
			wrong = append(wrong, fmt.Errorf("%s ran more often than it was tried: %+v: %+v", route, runs, job))
		}
		if last := len(runs) - 1; job.State == store.Completed && string(data) != "answer of "+runs[last].body {
			wrong = append(wrong, fmt.Errorf("%s: the result is %q, the last run %+v", route, data, runs[last]))
		}
	}
	return errors.Join(wrong...)
}

// mustHaveEndedEach asserts that Redis wrote one end of each job, and one more if it was
// retried.
func (o *ordeal) mustHaveEndedEach(t *testing.T, writes map[string]written) {
	t.Helper()
	for route, id := range o.jobs {
		want := written{endings: 1}
		if fates[route] == store.Completed {
			want.results = 1
		}
		if route == "stubborn" {
			want.endings = 2
		}
		require.Equal(t, want, writes[id], "%v: writes of %s", o.loss, route)
	}
}
