package ginasync

import (
	"errors"
	"time"
)

var (
	errNilHandler = errors.New("the handler is nil: give Async a gin.HandlerFunc")
	errNotStarted = errors.New("no started Manager owns this route: call ginasync.New(engine) and, once all routes are registered, Manager.Start or Manager.Run; Async has to be the last handler of its route")
	errStarted    = errors.New("ginasync: Manager is already started: call Start or Run once")
)

// permanentError marks an error that no further attempt will mend.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Permanent marks err as final: the job fails at once, without another attempt.
// A typed handler returns it; a Gin handler gives it to c.Error and answers 400 or
// above. Permanent(nil) is nil. errors.Is and errors.As see err through it.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// retryAfterError carries the delay a handler asks for.
type retryAfterError struct {
	err   error
	delay time.Duration
}

func (e *retryAfterError) Error() string { return e.err.Error() }
func (e *retryAfterError) Unwrap() error { return e.err }

// RetryAfter asks for the next attempt after d instead of the route's back-off. A
// typed handler returns it; a Gin handler gives it to c.Error, or writes the
// Retry-After header (RFC 9110 §10.2.3). It does not add attempts. With d at or below
// zero the next attempt follows at once. RetryAfter(nil, d) is nil.
func RetryAfter(err error, d time.Duration) error {
	if err == nil {
		return nil
	}
	return &retryAfterError{err, max(d, time.Nanosecond)}
}
