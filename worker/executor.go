package worker

import (
	"runtime/debug"
	"time"
)

// stopGrace is how long a handler may take to return after its context ended.
const stopGrace = 5 * time.Second

// wake lets an executor go to the line; nil: there is no need.
func (w *Worker) wake(x *executor) {
	switch {
	case x == nil:
	case x.born:
		x.called <- struct{}{}
	default:
		x.born = true
		go w.work(x)
	}
}

// work is what an executor does.
func (w *Worker) work(x *executor) {
	gone := true
	defer func() {
		if gone { // a handler has ended the goroutine
			w.wake(w.crew.replace())
		}
	}()
	for {
		r, other, stay := w.crew.take(x)
		w.wake(other)
		switch {
		case r != nil:
			w.execute(r)
		case stay:
			<-x.called
		default:
			gone = false
			return
		}
	}
}

// execute runs a claimed job.
func (w *Worker) execute(r *run) {
	if cause := r.cause(); cause != nil {
		w.end(r, r.byCause(cause))
		return
	}
	route, known := w.cfg.Routes(r.attempt.Route)
	if !known || route.Handle == nil {
		w.log.Warn("no handler for the route of this job", r.attrs()...)
		w.end(r, r.unknownRoute())
		return
	}
	w.attend(r, &route)
}

// attend calls the handler and ends the attempt, whichever way the handler comes
// back or does not.
func (w *Worker) attend(r *run, route *Route) {
	r.backoff, r.settled = route.Backoff, route.Settled
	if route.Timeout > 0 {
		r.limit(route.Timeout)
	}
	// This stays when the handler ends its goroutine instead of returning.
	report := Report{Problem: exitProblem(), Retry: true}
	defer func() {
		if v := recover(); v != nil {
			report = Report{Problem: panicProblem(), Retry: true}
			w.log.Error("the handler panicked", r.attrs("error", v, "stack", string(debug.Stack()))...)
		}
		w.end(r, r.decide(&report))
	}()
	claim := r.claim
	r.claim = nil // it shares its memory with the others of its batch
	report = route.Handle(&r.ctx, *claim)
}

// abandon ends an attempt whose handler does not return. Its goroutine is left to
// itself; what it reports later is not used.
func (w *Worker) abandon(r *run) {
	cause := r.cause()
	if w.end(r, r.byCause(cause)) {
		w.log.Error("the handler did not stop; its goroutine is abandoned", r.attrs("error", cause)...)
	}
}

// end ends a run once: it writes the ending and frees the slot. Who comes second
// changes nothing and gets false.
func (w *Worker) end(r *run, e ending) bool {
	if !r.finish() {
		return false
	}
	// Goroutines that the handler left behind learn that the attempt is over.
	r.ctx.Cancel(nil)
	r.attempt.progress.close(r.session.life, e.does == settle)
	w.write(r, &e)
	w.crew.remove(r)
	return true
}
