package checklist_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/asyncendpoints/gin-async/store"
)

// watchedStore notes what is asked of a store, in full what is kept in it. Like a store
// that leaves the process it does not say that it is local.
type watchedStore struct {
	store.Store
	refuses atomic.Bool
	heard   logBuffer
}

var errRefused = errors.New("the store does not write")

func (w *watchedStore) refuseWrites(_ *testing.T, refuse bool) { w.refuses.Store(refuse) }
func (w *watchedStore) overheard(*testing.T) string            { return w.heard.String() }

func (w *watchedStore) note(format string, args ...any) { fmt.Fprintf(&w.heard, format+"\n", args...) }

func (w *watchedStore) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	if w.refuses.Load() {
		return store.Job{}, false, errRefused
	}
	w.note("create %s %s %s %s", job.Route, job.Key, job.Request, job.Envelope)
	return w.Store.Create(ctx, job)
}

func (w *watchedStore) Get(ctx context.Context, id string) (store.Job, error) {
	w.note("get %s", id)
	return w.Store.Get(ctx, id)
}

func (w *watchedStore) Result(ctx context.Context, id string) (store.Job, []byte, error) {
	job, result, err := w.Store.Result(ctx, id)
	w.note("result %s %s", id, result)
	return job, result, err
}

func (w *watchedStore) Cancel(ctx context.Context, id string) (store.Job, error) {
	w.note("cancel %s", id)
	return w.Store.Cancel(ctx, id)
}

func (w *watchedStore) Retry(ctx context.Context, id string, attempts int) (store.Job, error) {
	w.note("retry %s", id)
	return w.Store.Retry(ctx, id, attempts)
}

func (w *watchedStore) Delete(ctx context.Context, id string) error {
	w.note("delete %s", id)
	return w.Store.Delete(ctx, id)
}

func (w *watchedStore) Watch(ctx context.Context, id string) (<-chan struct{}, error) {
	w.note("watch %s", id)
	return w.Store.Watch(ctx, id)
}
