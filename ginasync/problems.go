package ginasync

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// Errors that only ever become problems.
var (
	errCaptureKey  = errors.New("ginasync: context value cannot be captured")
	errMethod      = errors.New("ginasync: method not allowed")
	errNotDone     = errors.New("ginasync: job is not finished")
	errJobCanceled = errors.New("ginasync: job was canceled")
)

// problems is the one table from an error to what the client is told. The first row
// whose error is meant counts; a row without a detail tells the error's own words. Each
// type is an anchor in the README.
var problems = [...]struct {
	is      error
	problem Problem
}{
	// Whatever the reason.
	{errNotAwaited, newProblem("answer-not-awaited", http.StatusServiceUnavailable, "Answer not awaited", "the job is stored and goes on; follow the URL in Location instead of sending the request again")},

	// The status routes.
	{store.ErrNotFound, newProblem("job-not-found", http.StatusNotFound, "Job not found", "there is no job at this URL: it never was, or its time is over")},
	{errForbidden, newProblem("forbidden", http.StatusForbidden, "Forbidden", "you may see that there is this job, and may not do this with it")},
	{errNotDone, newProblem("job-not-finished", http.StatusConflict, "Job not finished", "there is no result yet; ask again after the time in Retry-After")},
	{errJobCanceled, newProblem("job-canceled", http.StatusConflict, "Job canceled", "the job was canceled and has no result")},
	{store.ErrFinished, newProblem("job-not-cancelable", http.StatusConflict, "Job already finished", "a job that has completed or failed cannot be canceled")},
	{store.ErrNotFailed, newProblem("job-not-retryable", http.StatusConflict, "Job has not failed", "only a failed job can be retried")},
	{errNotAcceptable, newProblem("not-acceptable", http.StatusNotAcceptable, "Not acceptable", "this URL has an event stream; ask for it with Accept: text/event-stream")},
	{errNoSuchRange, newProblem("range-not-satisfiable", http.StatusRequestedRangeNotSatisfiable, "Range not satisfiable", "the result ends before that range; Content-Range says how long it is")},
	{errWire, newProblem("result-unreadable", http.StatusInternalServerError, "Stored result cannot be read", "it was stored by an incompatible version, or was damaged")},
	{errSealed, newProblem("result-sealed", http.StatusInternalServerError, "Stored result cannot be opened", "it is encrypted with a key that the server does not have, or was damaged")},

	// Submissions.
	{errTooManyWatchers, newProblem("too-many-watchers", http.StatusServiceUnavailable, "Too many requests wait", "nothing was stored; send the request again later, or with Prefer: respond-async").after(5 * time.Second)},
	{store.ErrFull, newProblem("queue-full", http.StatusServiceUnavailable, "Too many jobs are waiting", "nothing was stored; send the request again later").after(5 * time.Second)},
	{store.ErrOwnerFull, newProblem("too-many-jobs", http.StatusTooManyRequests, "Too many of your jobs are waiting", "nothing was stored; send the request again when some of them have begun, or cancel some").after(10 * time.Second)},
	{store.ErrKeyReused, newProblem("idempotency-key-reused", http.StatusUnprocessableEntity, "Idempotency-Key already used", "an earlier request with this Idempotency-Key was another one: method, path, query, content type or body differ; nothing was stored; send a new request with a new key")},
	{errKeyMissing, newProblem("idempotency-key-missing", http.StatusBadRequest, "Idempotency-Key missing", "")},
	{errKeyInvalid, newProblem("idempotency-key-invalid", http.StatusBadRequest, "Invalid Idempotency-Key", "")},
	{errBodyTooLarge, newProblem("body-too-large", http.StatusRequestEntityTooLarge, "Request body too large", "")},
	{errBodyTruncated, newProblem("body-truncated", http.StatusBadRequest, "Request body incomplete", "the body ended before its announced length; no job was stored")},
	{errBodyConsumed, newProblem("body-consumed", http.StatusInternalServerError, "Request body already read", "")},
	{errUpgrade, newProblem("upgrade-refused", http.StatusBadRequest, "Upgrade refused", "an asynchronous route cannot switch protocols; send the request without Upgrade")},
	{errBadMethod, newProblem("method-invalid", http.StatusBadRequest, "Invalid method", "a middleware made the request method something that no method can be")},
	{errMethod, newProblem("method-not-allowed", http.StatusMethodNotAllowed, "Method not allowed", "HEAD requests do not start jobs")},
	{errCallback, newProblem("callback-rejected", http.StatusUnprocessableEntity, "Callback URL rejected", "")},
	{errNoOwner, newProblem("owner-unknown", http.StatusForbidden, "Owner unknown", "jobs have owners here, and nothing says whose this request is; send it with what identifies you")},
	{errCaptureKey, newProblem("key-not-captured", http.StatusInternalServerError, "Context value cannot be captured", "the server log says which")},
	{errNotStarted, newProblem("not-started", http.StatusInternalServerError, "Route not started", "")},
}

// storeUnavailable is what every other error comes to: it is the store's, so the outcome
// is unknown, and no 202 was sent.
func storeUnavailable() Problem {
	return newProblem("store-unavailable", http.StatusServiceUnavailable, "Job store unavailable", "send the request again later").after(5 * time.Second)
}

// problemOf looks an error up. One that is a problem itself is told as it is.
func problemOf(err error) Problem {
	var own *Problem
	if errors.As(err, &own) {
		return *own
	}
	for _, row := range problems {
		if errors.Is(err, row.is) {
			p := row.problem
			if p.Detail == "" {
				p.Detail = strings.TrimPrefix(err.Error(), "ginasync: ")
			}
			return p
		}
	}
	return storeUnavailable()
}
