package ginasync

import (
	"context"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// Job is the visible state of one accepted request.
type Job = store.Job

// Attempt is one run of a handler: the id of its job, the route's name, its
// number and the number of the last one, and its deadline.
type Attempt = worker.Attempt

// FromContext returns the attempt that ctx belongs to. Pass the *gin.Context or
// the request's context, or what a typed handler was given. Outside of a worker,
// as when the same handler serves a synchronous route, ok is false.
func FromContext(ctx context.Context) (attempt *Attempt, ok bool) {
	return worker.FromContext(ctx)
}

// Progress reports how far the attempt that ctx belongs to has come: percent is
// between 0 and 100, message is for people. Reports that follow each other quickly
// are stored together, the latest wins; see [Attempt]. Outside of a worker it does
// nothing, so that a handler may serve a synchronous route too. It returns an error
// for a percent out of range, and the reason when the attempt is over.
func Progress(ctx context.Context, percent float64, message string) error {
	attempt, ok := worker.FromContext(ctx)
	if !ok {
		return nil
	}
	return attempt.Progress(ctx, percent, message)
}
