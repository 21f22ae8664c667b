package ginasync

import (
	"context"
	"net/http"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
)

// Cancel stops a job: a waiting one is canceled at once; a running one is asked to
// stop, its context is done, and it ends canceled whatever it answers. Cancelling
// again changes nothing. Returned is the job as it is then. It asks nobody whether the
// caller may. Errors: store.ErrNotFound;
// store.ErrFinished when the job has completed or failed, with the job.
func (m *Manager) Cancel(ctx context.Context, id string) (Job, error) {
	if !store.ValidID(id) {
		return Job{}, store.ErrNotFound
	}
	ctx, cancel := lazyctx.WithTimeout(ctx, storeTimeout)
	defer cancel()
	job, err := m.store.Cancel(ctx, id)
	if err == nil {
		m.webhooks.ended(ctx, job)
	}
	return job, err
}

// Retry queues a failed job again under the same id, with as many more attempts as
// its route allows; the attempt numbers go on. Returned is the job as it is then. It
// asks nobody whether the caller may. Errors: store.ErrNotFound; store.ErrNotFailed when
// the job has not failed, with the job.
func (m *Manager) Retry(ctx context.Context, id string) (Job, error) {
	job, err := m.Get(ctx, id)
	if err != nil {
		return Job{}, err
	}
	return m.retryJob(ctx, job)
}

func (m *Manager) retryJob(ctx context.Context, job Job) (Job, error) {
	m.webhooks.ended(ctx, job)             // in case that nobody has told of it yet: soon nobody can
	attempts := m.cfg.defaults.maxAttempts // a job of a route that is only elsewhere
	if r, ok := m.routes.Load().named(job.Route); ok {
		attempts = r.cfg.maxAttempts
	}
	ctx, cancel := lazyctx.WithTimeout(ctx, storeTimeout)
	defer cancel()
	again, err := m.store.Retry(ctx, job.ID, attempts)
	if err == nil {
		if err := m.webhooks.watchAgain(ctx, again, job.ExpiresAt.Sub(job.FinishedAt)); err != nil {
			m.webhooks.leaveToLookout(again.ID, err)
		}
	}
	return again, err
}

// cancel answers POST /:id/cancel: 200 when the job is canceled, 202 when it still
// has to stop.
func (m *Manager) cancel(c *gin.Context) {
	if err := m.permitID(c, ActionCancel); err != nil {
		m.fail(c, err)
		return
	}
	job, err := m.Cancel(c.Request.Context(), c.Param("id"))
	if err != nil {
		m.fail(c, err)
		return
	}
	code := http.StatusAccepted
	if job.State == store.Canceled {
		code = http.StatusOK
	}
	m.answerStatus(c, code, job)
}

// retry answers POST /:id/retry.
func (m *Manager) retry(c *gin.Context) {
	job, err := m.find(c, ActionRetry)
	if err == nil {
		job, err = m.retryJob(c.Request.Context(), job)
	}
	if err != nil {
		m.fail(c, err)
		return
	}
	if self := m.linksOf(c, job).Self; self != "" {
		c.Header("Location", self)
	}
	m.answerStatus(c, http.StatusAccepted, job)
}
