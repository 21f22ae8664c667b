package ginasync

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// report says what an answer means for the job: below 400 it is the result; above,
// the attempt failed, and the route's classifier says whether to try again.
func (r *route) report(answer recorded) worker.Report {
	if answer.tooLarge {
		return worker.Report{Problem: store.Problem{
			Type: "result-too-large", Title: "result too large", Status: http.StatusInternalServerError,
			Detail: fmt.Sprintf("the handler answered more than %d bytes", r.cfg.maxResult),
		}}
	}
	if answer.short {
		return worker.Report{Retry: true, Problem: store.Problem{
			Type: "result-incomplete", Title: "result incomplete", Status: http.StatusInternalServerError,
			Detail: "the handler answered less than its Content-Length says",
		}}
	}
	result := encodeResponse(answer, r.withheld)
	if answer.status < http.StatusBadRequest {
		return worker.Report{Result: &result}
	}
	return worker.Report{
		Result:     &result,
		Problem:    failureOf(answer),
		Retry:      r.retries(answer),
		RetryAfter: delayAsked(answer),
	}
}

// worthRetrying is the default of RetryOn: what may go away by itself.
func worthRetrying(status int, _ error) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	default:
		return status >= http.StatusInternalServerError
	}
}

// retries asks the classifier, unless the handler has decided.
func (r *route) retries(answer recorded) bool {
	var final *permanentError
	if errors.As(answer.err, &final) {
		return false
	}
	return r.cfg.retryOn(answer.status, answer.err)
}

// delayAsked is the delay the handler asks for by its error or its Retry-After
// header, which is seconds or a date (RFC 9110 §10.2.3); 0 when it does not.
func delayAsked(answer recorded) time.Duration {
	var asked *retryAfterError
	if errors.As(answer.err, &asked) {
		return asked.delay
	}
	return parseRetryAfter(answer.header.Get("Retry-After"), time.Now())
}

// parseRetryAfter returns 0 for what is no Retry-After, and at the least a
// nanosecond for what is one.
func parseRetryAfter(value string, now time.Time) time.Duration {
	const longest = 365 * 24 * time.Hour // beyond it seconds overflow a Duration
	if n, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(max(time.Duration(n)*time.Second, time.Nanosecond), longest)
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(date.Sub(now), time.Nanosecond), longest)
	}
	return 0
}

// failureOf makes the job's problem from a failed answer. An answer that is a
// problem document itself (RFC 9457) keeps its words.
func failureOf(answer recorded) store.Problem {
	p := store.Problem{
		Type: "handler-failed", Title: "handler failed", Status: answer.status,
		Detail: fmt.Sprintf("the handler answered %d %s", answer.status, http.StatusText(answer.status)),
	}
	if mediaType, _, err := mime.ParseMediaType(answer.header.Get("Content-Type")); err != nil || mediaType != "application/problem+json" {
		return p
	}
	var said struct{ Title, Detail string }
	if json.Unmarshal(answer.body, &said) != nil || said.Title == "" {
		return p
	}
	p.Detail = said.Title
	if said.Detail != "" {
		p.Detail += ": " + said.Detail
	}
	p.Detail = shortened(p.Detail)
	return p
}

// shortened bounds a text that goes into every status document of a job; the whole
// of it is in the result.
func shortened(text string) string {
	const longest = 1000 // characters
	characters := 0
	for end := range text {
		if characters++; characters == longest {
			return text[:end] + "…"
		}
	}
	return text
}
