package ginasync

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
)

// asyncResult marks the replay of a handler's answer: without it a 404 means that
// there is no such job, with it that the handler said so. The name is OData's
// (OData 4.01 §11.6); it is written as it stands there.
const asyncResult = "AsyncResult"

// showResult answers GET /:id/result; with Prefer: wait when the job is over.
func (m *Manager) showResult(c *gin.Context) {
	id := c.Param("id")
	if !store.ValidID(id) {
		m.fail(c, store.ErrNotFound)
		return
	}
	job, data, err := m.findResult(c, id)
	if !errors.Is(err, errNotDone) {
		m.answerResult(c, job, data, err)
		return
	}
	job, waited, err := m.waitAsPreferred(c, job, over)
	switch {
	case err != nil:
		m.failWait(c, err)
	case over(job):
		job, data, err = m.result(c.Request.Context(), id)
		m.answerResult(c, job, data, err)
	case waited:
		m.failResult(c, job, errNotDone, 0)
	default:
		m.answerResult(c, job, nil, errNotDone)
	}
}

// findResult is result for the request of somebody. Errors: also why that may not see it,
// without the job.
func (m *Manager) findResult(c *gin.Context, id string) (Job, []byte, error) {
	job, data, err := m.result(c.Request.Context(), id)
	if job.ID != "" {
		if refused := m.permit(c, &job, ActionResult); refused != nil {
			return Job{}, nil, refused
		}
	}
	return job, data, err
}

// result reads a job and the response that was recorded. Errors: those of the store,
// and with the job why it has no result to show.
func (m *Manager) result(ctx context.Context, id string) (Job, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	job, data, err := m.store.Result(ctx, id)
	if err == nil {
		err = resultError(job)
	}
	return job, data, err
}

// answerResult sends what result returned.
func (m *Manager) answerResult(c *gin.Context, job Job, data []byte, err error) {
	switch {
	case err != nil:
		m.failResult(c, job, err, wholeSeconds(askAgainAfter(job, time.Now())))
	case data == nil:
		m.answerWithoutResponse(c, job)
	default:
		m.replayResult(c, job, data)
	}
}

// resultError says why a job has no result to show.
func resultError(job Job) error {
	switch job.State {
	case store.Completed, store.Failed:
		return nil
	case store.Canceled:
		return errJobCanceled
	case store.Queued, store.Scheduled, store.InProgress:
		return errNotDone
	default:
		return errNotDone
	}
}

// failResult tells where to ask again, and after how many seconds if that makes sense.
func (m *Manager) failResult(c *gin.Context, job Job, err error, retryAfter int64) {
	if job.ID != "" {
		if self := m.linksOf(c, job).Self; self != "" {
			c.Header("Location", self)
		}
		if !job.State.Terminal() {
			c.Header("Retry-After", strconv.FormatInt(retryAfter, 10))
		}
	}
	m.fail(c, err)
}

// answerWithoutResponse shows the problem of a job whose last attempt gave no
// response: it timed out, panicked or lost its worker.
func (m *Manager) answerWithoutResponse(c *gin.Context, job Job) {
	p := problemOfJob(job.Problem)
	setResultHeaders(c.Writer.Header(), p.Status)
	m.cfg.failure(c, p)
}

// replayResult sends what the handler answered.
func (m *Manager) replayResult(c *gin.Context, job Job, data []byte) {
	status, header, body, err := decodeResponse(data)
	if errors.Is(err, errSealed) {
		err = m.keys.whySealed(data)
	}
	if err != nil {
		m.fail(c, fmt.Errorf("job %s: %w", job.ID, err))
		return
	}
	to := c.Writer.Header()
	mergeHeader(to, header)
	setResultHeaders(to, status)
	if bodyAllowed(status) {
		to.Set("Content-Length", strconv.Itoa(len(body)))
	}
	c.Status(status)
	if len(body) == 0 || !bodyAllowed(status) || c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return
	}
	// Not before the body: middleware that encodes it decides about headers only now.
	_, _ = c.Writer.Write(body) // an error means that the client is gone
}

// mergeHeader puts the handler's headers into those of the answer, which the middleware
// of the status group has begun. Where both sides may have something to say, both do.
func mergeHeader(to, handlers http.Header) {
	for name, values := range handlers {
		switch name {
		case "Vary":
			values = mergeVary(to[name], values)
		case "Preference-Applied", "Link":
			values = append(to[name], values...)
		}
		to[name] = values
	}
	if _, typed := to["Content-Type"]; !typed {
		to["Content-Type"] = nil // the handler gave none: nothing is to be guessed
	}
}

// mergeVary adds the names that are not there yet.
func mergeVary(there, more []string) []string {
	for _, line := range more {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name != "" && !hasElement(there, name) {
				there = append(there, name)
			}
		}
	}
	return there
}

// setResultHeaders adds what every replay has. A result is never cached: a GET's
// 200 might be without being asked to.
func setResultHeaders(h http.Header, status int) {
	h.Del(asyncResult) // the handler's own would stand beside it
	h[asyncResult] = []string{strconv.Itoa(status)}
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}

// bodyAllowed reports whether an answer with that status may have content (RFC 9110
// §6.4.1).
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
