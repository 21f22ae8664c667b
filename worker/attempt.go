package worker

import (
	"context"
	"time"
)

// Attempt is the running attempt as its handler sees it. Get it with
// [FromContext]. It is safe for concurrent use; it must not be copied and the fields must not
// be changed.
type Attempt struct {
	// ID and Route name the job and how it is run.
	ID, Route string
	// Number is the attempt's number, from 1; Max the number of the last one there
	// may be.
	Number, Max int
	// Deadline is when the attempt times out; zero: never.
	Deadline time.Time

	progress progress
}

// Progress stores how far the attempt got, for people who follow the job. Percent
// is between 0 and 100; the message may be empty and is cut after 200 characters.
// The first call writes at once; of further ones within 250 ms only the latest is
// written, after that time or when the attempt ends. So calling it often is cheap.
//
// Errors: percent is out of range, which stores nothing; context.Cause when ctx or
// the attempt is over; else what the store said, and it is not repeated: progress
// is a courtesy that a handler may go on without.
func (a *Attempt) Progress(ctx context.Context, percent float64, message string) error {
	return a.progress.put(ctx, percent, message)
}

type attemptKey struct{}

// FromContext returns the attempt that ctx, a handler's context or one derived from
// it, belongs to; false: there is none.
func FromContext(ctx context.Context) (*Attempt, bool) {
	attempt, ok := ctx.Value(attemptKey{}).(*Attempt)
	return attempt, ok
}
