package ginasync

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
)

// problemBase makes a problem's type a URI (RFC 9457 §3.1.1): each is an anchor in
// the README.
const problemBase = "https://github.com/asyncendpoints/gin-async#"

// Problem is an error as the client sees it (RFC 9457). A typed handler may return a
// *Problem as its error to choose status code and text of its result itself.
type Problem struct {
	// Type is a URI that names the kind of problem.
	Type string `json:"type,omitempty"`
	// Title says the same to people: one text for a type.
	Title string `json:"title"`
	// Status is the HTTP status code.
	Status int `json:"status"`
	// Detail says what is special about this occurrence and how to mend it.
	Detail string `json:"detail,omitempty"`
	// Errors names each field of a typed route's request that is wrong.
	Errors []FieldError `json:"errors,omitempty"`

	retryAfter time.Duration // for the Retry-After header; 0: none
}

// FieldError is one wrong field of a typed route's request.
type FieldError struct {
	// Field is its name as the client wrote it; empty when the body as a whole is meant.
	Field string `json:"field,omitempty"`
	// In is where it stands, or would have to: "body", "path", "query" or "header". A
	// `form` field stands in "body" when the request has a form body, unless only the
	// query has the name; else in "query".
	In string `json:"in"`
	// Detail says what is wrong with it.
	Detail string `json:"detail"`
}

// Error returns title and detail.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// Errors that only ever become problems.
var (
	errCaptureKey  = errors.New("ginasync: context value cannot be captured")
	errMethod      = errors.New("ginasync: method not allowed")
	errNotDone     = errors.New("ginasync: job is not finished")
	errJobCanceled = errors.New("ginasync: job was canceled")
)

// problemOf and problemOfSubmission are the one table from an error to what the client
// is told.
func problemOf(err error) Problem {
	var own *Problem
	switch {
	case errors.As(err, &own):
		return *own
	case errors.Is(err, errNotAwaited): // whatever the reason
		return newProblem("answer-not-awaited", http.StatusServiceUnavailable, "Answer not awaited", "the job is stored and goes on; follow the URL in Location instead of sending the request again")
	case errors.Is(err, store.ErrNotFound):
		return newProblem("job-not-found", http.StatusNotFound, "Job not found", "there is no job at this URL: it never was, or its time is over")
	case errors.Is(err, errNotDone):
		return newProblem("job-not-finished", http.StatusConflict, "Job not finished", "there is no result yet; ask again after the time in Retry-After")
	case errors.Is(err, errJobCanceled):
		return newProblem("job-canceled", http.StatusConflict, "Job canceled", "the job was canceled and has no result")
	case errors.Is(err, store.ErrFinished):
		return newProblem("job-not-cancelable", http.StatusConflict, "Job already finished", "a job that has completed or failed cannot be canceled")
	case errors.Is(err, store.ErrNotFailed):
		return newProblem("job-not-retryable", http.StatusConflict, "Job has not failed", "only a failed job can be retried")
	case errors.Is(err, errNotAcceptable):
		return newProblem("not-acceptable", http.StatusNotAcceptable, "Not acceptable", "this URL has an event stream; ask for it with Accept: text/event-stream")
	case errors.Is(err, errWire):
		return newProblem("result-unreadable", http.StatusInternalServerError, "Stored result cannot be read", "it was stored by an incompatible version, or was damaged")
	case errors.Is(err, errSealed):
		return newProblem("result-sealed", http.StatusInternalServerError, "Stored result cannot be opened", "it is encrypted with a key that the server does not have, or was damaged")
	default:
		return problemOfSubmission(err)
	}
}

func problemOfSubmission(err error) Problem {
	var tooLarge *bodyTooLargeError
	switch {
	case errors.Is(err, errTooManyWatchers):
		return newProblem("too-many-watchers", http.StatusServiceUnavailable, "Too many requests wait", "nothing was stored; send the request again later, or with Prefer: respond-async").after(5 * time.Second)
	case errors.Is(err, store.ErrFull):
		return newProblem("queue-full", http.StatusServiceUnavailable, "Too many jobs are waiting", "nothing was stored; send the request again later").after(5 * time.Second)
	case errors.As(err, &tooLarge):
		return newProblem("body-too-large", http.StatusRequestEntityTooLarge, "Request body too large", fmt.Sprintf("this route takes at most %d bytes", tooLarge.limit))
	case errors.Is(err, errBodyTruncated):
		return newProblem("body-truncated", http.StatusBadRequest, "Request body incomplete", "the body ended before its announced length; no job was stored")
	case errors.Is(err, errBodyConsumed):
		return newProblem("body-consumed", http.StatusInternalServerError, "Request body already read", errBodyConsumed.Error())
	case errors.Is(err, errUpgrade):
		return newProblem("upgrade-refused", http.StatusBadRequest, "Upgrade refused", "an asynchronous route cannot switch protocols; send the request without Upgrade")
	case errors.Is(err, errBadMethod):
		return newProblem("method-invalid", http.StatusBadRequest, "Invalid method", "a middleware made the request method something that no method can be")
	case errors.Is(err, errMethod):
		return newProblem("method-not-allowed", http.StatusMethodNotAllowed, "Method not allowed", "HEAD requests do not start jobs")
	case errors.Is(err, errCaptureKey):
		return newProblem("key-not-captured", http.StatusInternalServerError, "Context value cannot be captured", "the server log says which")
	case errors.Is(err, errNotStarted):
		return newProblem("not-started", http.StatusInternalServerError, "Route not started", err.Error())
	default: // the store: the outcome is unknown, and no 202 was sent
		return newProblem("store-unavailable", http.StatusServiceUnavailable, "Job store unavailable", "send the request again later").after(5 * time.Second)
	}
}

func newProblem(name string, status int, title, detail string) Problem {
	return Problem{Type: problemBase + name, Title: title, Status: status, Detail: detail}
}

// after sets the time after which trying again makes sense.
func (p Problem) after(d time.Duration) Problem {
	p.retryAfter = d
	return p
}

// fail answers a request with the problem of err, and logs what the client is not
// told.
func (m *Manager) fail(c *gin.Context, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError && !expected(err) {
		m.log.Error("ginasync: request failed", "method", c.Request.Method, "path", c.FullPath(), "error", err)
	}
	m.writeFailure(c, p)
}

// expected reports whether an error is what happens under load or at a shutdown, and no
// fault of anything.
func expected(err error) bool {
	return errors.Is(err, store.ErrFull) || errors.Is(err, errTooManyWatchers) ||
		errors.Is(err, errEnding) || errors.Is(err, context.Canceled)
}

func (m *Manager) writeFailure(c *gin.Context, p Problem) {
	setProblemHeaders(c, p)
	m.cfg.failure(c, p)
	c.Abort()
}

// setProblemHeaders keeps caches away from an error: some status codes may be
// cached without being asked to (RFC 9110 §15.1).
func setProblemHeaders(c *gin.Context, p Problem) {
	c.Header("Cache-Control", "no-store")
	if p.retryAfter > 0 {
		c.Header("Retry-After", seconds(p.retryAfter))
	}
}

// writeProblem is the default of WithError.
func writeProblem(c *gin.Context, p Problem) {
	c.Header("Content-Type", "application/problem+json")
	c.AbortWithStatusJSON(p.Status, &p)
}

// seconds writes a duration for Retry-After: whole seconds, rounded up, at least 1
// (RFC 9110 §10.2.3).
func seconds(d time.Duration) string {
	return strconv.FormatInt(wholeSeconds(d), 10)
}

func wholeSeconds(d time.Duration) int64 {
	return max(int64((d+time.Second-1)/time.Second), 1)
}
