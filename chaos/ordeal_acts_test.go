package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

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
