package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/asyncendpoints/gin-async/store"
)

// The causes, beside [store.ErrLeaseLost], with which the context of an attempt
// ends; ask [context.Cause] for them.
var (
	// ErrCanceled says that the job was asked to stop. The job ends canceled.
	ErrCanceled = errors.New("worker: the job was canceled")
	// ErrTimeout says that the attempt took longer than its route allows. It
	// matches [context.DeadlineExceeded]. The job is retried while attempts are left.
	ErrTimeout = fmt.Errorf("worker: the attempt timed out: %w", context.DeadlineExceeded)
	// ErrShutdown says that the worker shuts down and the grace period is over. The
	// job returns to the head of its queue and the attempt is not counted.
	ErrShutdown = errors.New("worker: the worker is shutting down")
)

var (
	errStarted = errors.New("worker: Start was called before")
	errStopped = errors.New("worker: Start after Shutdown")
	// errLostWhileDraining is what Shutdown says of attempts whose lease ended
	// before they did: another worker runs them again.
	errLostWhileDraining = fmt.Errorf("worker: while draining: %w", store.ErrLeaseLost)
)
