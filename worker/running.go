package worker

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
	"github.com/asyncendpoints/gin-async/store"
)

// run is one claimed job while this worker has it: from the claim's reply until
// the attempt is settled, released or lost.
type run struct {
	worker  *Worker
	session *session
	slots   *slots
	ref     store.Ref
	// claim is for the handler; nil once it has it.
	claim *store.Claim
	// since is when the claim's reply was read.
	since time.Time
	// ctx is the context of the attempt, which is what the handler sees.
	ctx     attemptContext
	attempt Attempt
	backoff Backoff // of the route, once it is known
	settled func(ctx context.Context, id string, became store.State)
	times   times
	over    atomic.Bool

	// What follows belongs to the crew.

	prev, next *run // in the list of all runs
	behind     *run // the next one that waits to be taken up
}

// attemptContext is the context of an attempt. The session does not know it: who ends a
// session stops its runs.
type attemptContext struct {
	lazyctx.Context
	attempt *Attempt
}

// Value implements context.Context.
func (c *attemptContext) Value(key any) any {
	if key == (attemptKey{}) {
		return c.attempt
	}
	return c.Context.Value(key)
}

// newRun makes the run of a claim, which must not be changed until it is taken up.
func (w *Worker) newRun(s *session, claim *store.Claim, since time.Time) *run {
	job := &claim.Job
	r := &run{worker: w, session: s, ref: claim.Ref, claim: claim, since: since}
	r.attempt.ID, r.attempt.Route = job.ID, job.Route
	r.attempt.Number, r.attempt.Max = job.Attempt, job.MaxAttempts
	r.attempt.progress.run = r
	r.ctx.Init(s.values)
	r.ctx.attempt = &r.attempt
	return r
}

// limit bounds the attempt from now on.
func (r *run) limit(timeout time.Duration) {
	deadline := time.Now().Add(timeout)
	r.attempt.Deadline = deadline
	r.ctx.Limit(deadline, ErrTimeout)
	r.worker.overtime.limit(r, deadline)
}

// stop ends the context of the attempt; the end of its session goes before other
// causes. A handler that does not return soon is
// abandoned.
func (r *run) stop(cause error) {
	if ended := r.session.ended(); ended != nil {
		cause = ended
	}
	r.ctx.Cancel(cause)
	r.worker.overtime.abandon(r, time.Now().Add(stopGrace))
}

// cause is why the context of the attempt ended, or nil.
func (r *run) cause() error {
	if cause := r.ctx.Cause(); cause != nil {
		return cause
	}
	// The session's end may not have been passed on yet.
	return r.session.ended()
}

// finish makes the caller the one that ends the run; false: somebody else is.
func (r *run) finish() bool { return r.over.CompareAndSwap(false, true) }

// isOver reports whether somebody ends the run, or has ended it.
func (r *run) isOver() bool { return r.over.Load() }

// attrs are the log attributes that name the attempt, and more.
func (r *run) attrs(more ...any) []any {
	return append([]any{
		slog.String("job", r.attempt.ID), slog.String("route", r.attempt.Route), slog.Int("attempt", r.attempt.Number),
	}, more...)
}
