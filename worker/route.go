package worker

import (
	"context"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// Route is how the jobs of one route are run.
type Route struct {
	// Handle runs one attempt. A route without it is treated as unknown.
	Handle Handler
	// Timeout bounds one attempt; its context then ends with ErrTimeout. 0: none.
	Timeout time.Duration
	// Backoff spaces the attempts. The zero value means DefaultBackoff.
	Backoff Backoff
	// Settled is called after the store has taken the outcome of an attempt that Handle
	// was called for, with the id of the job and the state that it has then, before the
	// slot of the attempt is freed; so it should not take long. It is not called for an
	// attempt that was given back or whose lease was lost, and the process may end
	// before. ctx ends with the session. nil: nothing is called.
	Settled func(ctx context.Context, id string, became store.State)
}

// Handler runs one attempt of a job. It is called by many goroutines at once, and
// more than once for one job; see the package documentation. It should return
// soon after ctx is done: what it reports is not used then, and a handler that has
// not returned 5 s later is left behind and its slot given to another job. A
// panic and runtime.Goexit fail the attempt, which is then retried. [FromContext]
// gets the [Attempt] from ctx. The handler owns the slices of the claim.
type Handler func(ctx context.Context, claim store.Claim) Report

// Report is what a handler says of its attempt. Without a Problem the job
// completes with Result, and an empty result if that is nil. With one the attempt
// failed.
type Report struct {
	// Result is the recorded response. With a Problem it is kept only if this was
	// the last attempt. It must not be changed afterwards.
	Result *store.Result
	// Problem is why the attempt failed; zero: it did not.
	Problem store.Problem
	// Retry says that a failure is worth another attempt, if any is left.
	Retry bool
	// RetryAfter is how long the next attempt waits; 0 or less: as the route's
	// Backoff says.
	RetryAfter time.Duration
	// Postpone, above 0, says that it is too early: the job is given back for that
	// long and the attempt is not counted. The other fields are not used then.
	Postpone time.Duration
}
