package ginasync

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// follow has the worker tell what an attempt of a job comes to. It is called for each
// job: the URL that its client named is known while its request is.
func (w *webhooks) follow(run worker.Route, r *route) worker.Route {
	if w == nil || w.cfg.header == "" && len(r.cfg.webhooks) == 0 {
		return run
	}
	var callback atomic.Pointer[string] // a handler may be left behind
	handle := run.Handle
	run.Handle = func(ctx context.Context, claim store.Claim) worker.Report {
		url := callbackIn(claim.Envelope)
		callback.Store(&url)
		return handle(ctx, claim)
	}
	run.Settled = func(ctx context.Context, id string, became store.State) {
		url := ""
		if known := callback.Load(); known != nil {
			url = *known
		}
		if became.Terminal() && len(w.receivers(r.name, became, url)) > 0 {
			w.settled(ctx, id, url)
		}
	}
	return run
}

// settled is told of a job that a worker of this process has ended.
func (w *webhooks) settled(ctx context.Context, id, callback string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	job, err := w.manager.store.Get(ctx, id)
	switch {
	case err == nil:
		err = w.announce(ctx, job, callback)
	case errors.Is(err, store.ErrNotFound): // whoever removed it has told of it
		return
	}
	w.leaveToLookout(id, err)
}

// ended is told of a job after a call that may have ended it.
func (w *webhooks) ended(ctx context.Context, job Job) {
	if w == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	w.leaveToLookout(job.ID, w.announce(ctx, job, "")) // what the client named is known to the lookout
}

// removing is told of a job before it is removed, if it is over: whoever is about to tell
// of its end cannot read it any more then.
func (w *webhooks) removing(ctx context.Context, id string) {
	if w == nil {
		return
	}
	if job, err := w.manager.store.Get(ctx, id); err == nil {
		w.ended(ctx, job)
	}
}

// leaveToLookout notes that an event could not be announced.
func (w *webhooks) leaveToLookout(id string, err error) {
	if err != nil {
		w.manager.log.Warn("ginasync: the webhook event of a job has to wait", "job", id, "error", err)
	}
}
