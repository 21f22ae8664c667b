package worker

import (
	"errors"
	"fmt"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

const (
	// unknownRoutePause is how long a job waits whose route this worker does not
	// know: time for a worker that knows it to come up.
	unknownRoutePause = 5 * time.Second
	// unknownRoutePatience is for how long it is given back before it fails, at the
	// least.
	unknownRoutePatience = 10 * time.Minute
	// unknownRouteGiveBacks is how often that makes it.
	unknownRouteGiveBacks = int64(unknownRoutePatience / unknownRoutePause)
)

// deed is which write ends an attempt.
type deed int

const (
	drop    deed = iota // none: the session, or its end, decides
	settle              // Session.Settle
	release             // Session.Release: the attempt is not counted
)

// ending is how an attempt ends.
type ending struct {
	does    deed
	outcome store.Outcome // of a settle
	delay   time.Duration // of a release
}

func settled(outcome store.Outcome) ending { return ending{does: settle, outcome: outcome} }

// decide is the rule of the package: what ended the context of an attempt counts,
// and the handler's report only if nothing did.
func (r *run) decide(report *Report) ending {
	if cause := r.cause(); cause != nil {
		return r.byCause(cause)
	}
	return r.byReport(report)
}

// byCause ends an attempt whose context ended.
func (r *run) byCause(cause error) ending {
	switch {
	case errors.Is(cause, ErrTimeout):
		return r.byReport(&Report{Problem: timeoutProblem(), Retry: true})
	case errors.Is(cause, ErrCanceled):
		return settled(store.Cancel())
	case errors.Is(cause, ErrShutdown):
		return ending{does: release}
	default:
		return ending{does: drop}
	}
}

// byReport ends an attempt as its handler says.
func (r *run) byReport(report *Report) ending {
	if report.Postpone > 0 {
		return ending{does: release, delay: report.Postpone}
	}
	if report.Problem.IsZero() {
		result := store.Result{}
		if report.Result != nil {
			result = *report.Result
		}
		return settled(store.Complete(result))
	}
	if !report.Retry || r.attempt.Number >= r.attempt.Max {
		return settled(store.Fail(report.Problem, report.Result))
	}
	delay := report.RetryAfter
	if delay <= 0 {
		delay = r.backoff.orDefault().Delay(r.attempt.Number)
	}
	return settled(store.RetryAfter(delay, report.Problem))
}

func (b Backoff) orDefault() Backoff {
	if b == (Backoff{}) {
		return DefaultBackoff()
	}
	return b
}

// unknownRoute gives back a job that this worker cannot run, and fails it when that
// was done for long. It counts the claims that were not counted as attempts: how
// long the job has waited says nothing, for it may have waited for any worker at all.
func (r *run) unknownRoute() ending {
	givenBack := r.ref.Claim - int64(r.attempt.Number)
	if givenBack > unknownRouteGiveBacks {
		return settled(store.Fail(noHandlerProblem(r.attempt.Route), nil))
	}
	return ending{does: release, delay: unknownRoutePause}
}

func timeoutProblem() store.Problem {
	return store.Problem{Type: "timeout", Title: "attempt timed out", Status: 504}
}

// panicProblem does not say what the panic said: that is for the log.
func panicProblem() store.Problem {
	return store.Problem{Type: "panic", Title: "handler panicked", Status: 500}
}

func exitProblem() store.Problem {
	return store.Problem{
		Type: "goexit", Title: "handler exited", Status: 500,
		Detail: "the handler ended its goroutine instead of returning",
	}
}

func noHandlerProblem(route string) store.Problem {
	return store.Problem{
		Type: "no-handler", Title: "no handler", Status: 500,
		Detail: fmt.Sprintf("no worker knew the route %q for %v", route, unknownRoutePatience),
	}
}
