package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Why a job that was accepted has no response.
var (
	// ErrCanceled: somebody has canceled the job.
	ErrCanceled = errors.New("the job was canceled and has no result")
	// ErrGone: there is no such job, or not any more: its retention is over, it was
	// deleted, or the server kept it in its memory and was restarted.
	ErrGone = errors.New("the job is gone")
	// ErrOrigin: the job's URL is not at the scheme, host and port that the request was
	// sent to, and credentials are not sent elsewhere. A server with WithBaseURL has to be
	// called by that URL.
	ErrOrigin = errors.New("the job's URL is at another origin than the request")
)

var (
	errUnexpected = errors.New("the job's URL gave an answer that is none of a job")
	errSilent     = errors.New("the server does not answer")
	errFailing    = errors.New("the job's URL has failed for too long")
)

// JobError says why a request that was accepted has no response. http.Client wraps it in
// a *url.Error; errors.As finds it, unless http.Client.Timeout was the reason, which
// leaves its text only. The job itself may well go on.
type JobError struct {
	// ID is that of the job, URL that of its status document as far as it may be asked.
	ID, URL string
	// StatusCode is that of the answer that ended the wait; 0 when it was none.
	StatusCode int
	// Problem is what that answer said, if it was a problem document.
	Problem Problem
	// Err is the reason: [ErrCanceled], [ErrGone], [ErrOrigin], the error of the request's
	// context, of the base transport, or one that says what the answer was. Never nil.
	Err error
}

// Error says which job it is and what has happened.
func (e *JobError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "client: job %s at %s: %v", e.ID, e.URL, e.Err)
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, " (%d %s)", e.StatusCode, http.StatusText(e.StatusCode))
	}
	if text := e.Problem.text(); text != "" {
		fmt.Fprintf(&b, ": %s", text)
	}
	return b.String()
}

// Unwrap returns the reason.
func (e *JobError) Unwrap() error { return e.Err }

// Timeout reports whether time ran out, as *url.Error asks for it.
func (e *JobError) Timeout() bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(e.Err, context.DeadlineExceeded) || errors.Is(e.Err, errSilent) ||
		errors.As(e.Err, &timeout) && timeout.Timeout()
}
