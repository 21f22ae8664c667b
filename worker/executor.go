package worker

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// stopGrace is how long a handler may take to return after its context ended.
const stopGrace = 5 * time.Second

// start takes up a claimed job and runs it in a goroutine of its own, which ends
// with the attempt. It does not wait.
func (w *Worker) start(life context.Context, s *session, claim store.Claim) {
	ctx, cancel := context.WithCancelCause(life)
	r := &run{claim: claim, session: s, since: time.Now(), cancel: cancel}
	if w.isStopping() {
		// Claimed by a call that was under way: it goes back without being run.
		cancel(ErrShutdown)
	}
	w.slots.take(claim.Job.Queue)
	w.running.add(r)
	go w.execute(life, ctx, r)
}

// execute runs a claimed job. The context ctx is the attempt's; life is the
// session's, under which the attempt is settled.
func (w *Worker) execute(life, ctx context.Context, r *run) {
	if cause := context.Cause(ctx); cause != nil {
		w.end(life, r, byCause(cause, r.claim.Job, Backoff{}))
		return
	}
	route, known := w.cfg.Routes(r.claim.Job.Route)
	if !known || route.Handle == nil {
		w.log.Warn("no handler for the route of this job", r.attrs()...)
		w.end(life, r, unknownRoute(r.claim))
		return
	}
	w.attend(life, ctx, r, route)
}

// attend calls the handler and ends the attempt, whichever way the handler comes
// back or does not.
func (w *Worker) attend(life, ctx context.Context, r *run, route Route) {
	if route.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, route.Timeout, ErrTimeout)
		defer stop()
	}
	ctx = w.withAttempt(ctx, r)
	unwatch := context.AfterFunc(ctx, func() {
		r.abandonAfter(stopGrace, func() { w.abandon(life, ctx, r, route) })
	})
	// This stays when the handler ends its goroutine instead of returning.
	report := Report{Problem: exitProblem(), Retry: true}
	defer func() {
		if v := recover(); v != nil {
			report = Report{Problem: panicProblem(), Retry: true}
			w.log.Error("the handler panicked", r.attrs("error", v, "stack", string(debug.Stack()))...)
		}
		unwatch()
		w.end(life, r, decide(context.Cause(ctx), report, r.claim.Job, route.Backoff))
	}()
	report = route.Handle(ctx, r.claim)
}

// abandon ends an attempt whose handler does not return. Its goroutine is left to
// itself; what it reports later is not used.
func (w *Worker) abandon(life, ctx context.Context, r *run, route Route) {
	cause := context.Cause(ctx)
	if w.end(life, r, byCause(cause, r.claim.Job, route.Backoff)) {
		w.log.Error("the handler did not stop; its goroutine is abandoned", r.attrs("error", cause)...)
	}
}

// end ends a run once: it writes the ending and frees the slot. Who comes second
// changes nothing and gets false.
func (w *Worker) end(life context.Context, r *run, e ending) bool {
	if !r.finish() {
		return false
	}
	// Goroutines that the handler left behind learn that the attempt is over.
	r.cancel(nil)
	if r.attempt != nil {
		r.attempt.progress.close(life, e.does == settle)
	}
	w.write(life, r, e)
	w.running.remove(r)
	w.slots.put(r.claim.Job.Queue)
	return true
}

// attrs are the log attributes that name the attempt, and more.
func (r *run) attrs(more ...any) []any {
	job := r.claim.Job
	return append([]any{
		slog.String("job", job.ID), slog.String("route", job.Route), slog.Int("attempt", job.Attempt),
	}, more...)
}
