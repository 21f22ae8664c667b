package ginasync

import (
	"context"
	"errors"
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

// writeProblem is the default of WithErrorResponse.
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
