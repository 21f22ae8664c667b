package contestant

import (
	"context"
	"errors"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// bareWorker is a store and a worker without Gin: the level at which the peers are.
type bareWorker struct {
	store  store.Store
	worker *worker.Worker
	shut   func() error
}

func openWorker(ctx context.Context, setup Setup, work Work) (*bareWorker, error) {
	kept, shut := ourStore(setup, work)
	handle := func(ctx context.Context, claim store.Claim) worker.Report {
		result := resultOf(work.Do(ctx, claim.Request))
		return worker.Report{Result: &result}
	}
	made, err := worker.New(worker.Config{
		Store:  kept,
		Routes: func(string) (worker.Route, bool) { return worker.Route{Handle: handle}, true },
		Queues: map[string]int{queueName: setup.Concurrency},
	})
	if err == nil {
		err = made.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, shut())
	}
	return &bareWorker{store: kept, worker: made, shut: shut}, nil
}

func (b *bareWorker) Submit(ctx context.Context, body []byte) (string, error) {
	return create(ctx, b.store, body)
}

func (b *bareWorker) Close(ctx context.Context) error {
	return errors.Join(b.worker.Shutdown(ctx), b.shut())
}

// create stores a job as ginasync does, with nothing but the body.
func create(ctx context.Context, jobs store.Jobs, body []byte) (string, error) {
	job, _, err := jobs.Create(ctx, store.NewJob{
		Route: routeName, Queue: queueName, MaxAttempts: 4, Retention: retention,
		Request: body, MaxWaiting: maxWaiting,
	})
	return job.ID, err
}

func resultOf(data []byte) store.Result {
	return store.Result{
		Response: store.Response{Status: 200, ContentType: "text/plain", Bytes: int64(len(data))},
		Data:     data,
	}
}
