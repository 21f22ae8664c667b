package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	"github.com/asyncendpoints/gin-async/worker"
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
	err = errors.Join(o.control(ctx), first.Shutdown(context.Background()))
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
	return errors.Join(err, o.awaitNothingLeft(ctx), second.Shutdown(context.Background()), o.checkRuns(ctx))
}

// dieHolding is a worker that claims a job and is not heard of again.
func (o *ordeal) dieHolding(ctx context.Context) error {
	if err := o.create(ctx, "orphan", store.NewJob{Key: "orphan"}); err != nil {
		return err
	}
	session, err := repeat(ctx, func() (store.Session, error) { return o.store.Join(ctx, "dies", 200*time.Millisecond) })
	if errors.Is(err, store.ErrLeaseLost) {
		return nil // the machine is busy: it died before it held anything
	}
	if err != nil {
		return err
	}
	// If the reply is lost, the session holds the job and does not know.
	_, _ = session.Claim(ctx, []store.Want{{Queue: "default", Max: 1}})
	return nil
}

func (o *ordeal) startWorker() (*worker.Worker, error) {
	w, err := worker.New(worker.Config{
		Store: o.store, Queues: map[string]int{"default": 8},
		Routes: func(string) (worker.Route, bool) {
			return worker.Route{
				Handle:  o.handle,
				Backoff: worker.Backoff{Initial: 10 * time.Millisecond, Max: 10 * time.Millisecond, Factor: 1},
			}, true
		},
		Lease: 3 * time.Second, PollInterval: 100 * time.Millisecond, Grace: -1,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	return w, w.Start(context.Background())
}

// handle runs the jobs of all routes.
func (o *ordeal) handle(ctx context.Context, claim store.Claim) worker.Report {
	job := claim.Job
	r := o.ledger.begin(job.ID, job.Attempt)
	defer o.ledger.end(r)
	attempt, _ := worker.FromContext(ctx)
	_ = attempt.Progress(ctx, 50, "half of it") // a courtesy
	switch {
	case job.Route == "held" && !o.end.Load(), job.Route == "running":
		<-ctx.Done()
	case job.Route == "flaky" && job.Attempt == 1:
		return worker.Report{Problem: badLuck, Retry: true}
	case job.Route == "stubborn" && !o.yield.Load():
		return worker.Report{Problem: badLuck}
	}
	result := answerOf(r.body)
	return worker.Report{Result: &result}
}

// control does what clients do.
func (o *ordeal) control(ctx context.Context) error {
	do := func(err error, calls ...func() error) error {
		for _, call := range calls {
			if err == nil {
				err = call()
			}
		}
		return err
	}
	create := func(route string, job store.NewJob) func() error {
		return func() error { return o.create(ctx, route, job) }
	}
	become := func(route string, state store.State) func() error {
		return func() error { return o.await(ctx, route, state) }
	}
	cancel := func(route string) func() error {
		return o.change(ctx, func() error {
			_, err := o.store.Cancel(ctx, o.jobs[route])
			return err
		})
	}
	return do(nil,
		create("plain", store.NewJob{}),
		create("keyed", store.NewJob{Key: "keyed"}), create("keyed", store.NewJob{Key: "keyed"}),
		create("flaky", store.NewJob{}),
		create("stubborn", store.NewJob{}),
		create("running", store.NewJob{Key: "running"}),
		create("waiting", store.NewJob{Key: "waiting", Delay: time.Hour}),
		create("held", store.NewJob{Key: "held"}),
		cancel("waiting"), become("running", store.InProgress), cancel("running"),
		become("plain", store.Completed),
		o.change(ctx, func() error { return o.store.Delete(ctx, o.jobs["plain"]) }),
		become("stubborn", store.Failed),
		o.change(ctx, func() error {
			o.yield.Store(true)
			_, err := o.store.Retry(ctx, o.jobs["stubborn"], 9)
			return err
		}),
		// What the end of the first worker finds running is given back.
		become("keyed", store.Completed), become("flaky", store.Completed), become("stubborn", store.Completed),
		become("running", store.Canceled), become("orphan", store.Completed),
		become("held", store.InProgress),
	)
}

// create stores a job and notes its id. Without a key a repeated call may leave another
// job, which nobody follows.
func (o *ordeal) create(ctx context.Context, route string, job store.NewJob) error {
	job.Route, job.Queue, job.Retention, job.Fingerprint = route, "default", time.Hour, "f"
	job.MaxAttempts = 9 // a busy machine may lose leases
	stored, err := repeat(ctx, func() (store.Job, error) {
		stored, _, err := o.store.Create(ctx, job)
		return stored, err
	})
	if before := o.jobs[route]; err == nil && before != "" && before != stored.ID {
		err = fmt.Errorf("the key of %s has two jobs: %s, %s", route, before, stored.ID)
	}
	o.jobs[route] = stored.ID
	return err
}

// change makes a call until its outcome is known; one that is repeated may be told that
// there is nothing left to do.
func (o *ordeal) change(ctx context.Context, call func() error) func() error {
	return func() error {
		calls := 0
		_, err := repeat(ctx, func() (struct{}, error) {
			calls++
			return struct{}{}, call()
		})
		if calls > 1 && meansSomething(err) {
			return nil
		}
		return err
	}
}

// repeat makes a call until its outcome is known.
func repeat[T any](ctx context.Context, call func() (T, error)) (T, error) {
	for {
		reply, err := call()
		if err == nil || meansSomething(err) || ctx.Err() != nil {
			return reply, err
		}
		letPass(time.Millisecond)
	}
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
