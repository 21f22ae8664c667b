package ginasync

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
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
		m.answerAsAsked(c, job, data, err)
		return
	}
	job, waited, err := m.waitAsPreferred(c, job, over)
	switch {
	case err != nil:
		m.failWait(c, err)
	case over(job):
		job, data, err = m.result(c.Request.Context(), id)
		m.answerAsAsked(c, job, data, err)
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
	ctx, cancel := lazyctx.WithTimeout(ctx, storeTimeout)
	defer cancel()
	job, data, err := m.store.Result(ctx, id)
	if err == nil {
		err = resultError(job)
	}
	return job, data, err
}

// answerAsAsked sends what result returned, or of it what the request asks for.
func (m *Manager) answerAsAsked(c *gin.Context, job Job, data []byte, err error) {
	switch {
	case err == nil && asksForEnvelope(c.Request.URL):
		m.answerEnveloped(c, job, data)
	case err == nil && data != nil:
		m.answerPart(c, job, data)
	default:
		m.answerResult(c, job, data, err)
	}
}

// answerResult sends what result returned.
func (m *Manager) answerResult(c *gin.Context, job Job, data []byte, err error) {
	switch {
	case err != nil:
		m.failResult(c, job, err, wholeSeconds(askAgainAfter(job, time.Now())))
	case data == nil:
		m.answerWithoutResponse(c, job)
	default:
		if r, ok := m.readResult(c, job, data); ok {
			sendRecorded(c, r)
		}
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
