package ginasync

import (
	"context"
	"errors"
	"net/http"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
)

// Delete removes a job that is over, with its result; one that is not over is canceled
// instead, as by Cancel, and stays to be seen. removed says which it was; when it is
// false, job is the job as it is then. It asks nobody whether the caller may. Errors:
// store.ErrNotFound; any other is the store's, and leaves open what was done.
func (m *Manager) Delete(ctx context.Context, id string) (job Job, removed bool, err error) {
	if !store.ValidID(id) {
		return Job{}, false, store.ErrNotFound
	}
	ctx, cancel := lazyctx.WithTimeout(ctx, storeTimeout)
	defer cancel()
	m.webhooks.removing(ctx, id)
	// A job may end between the two steps, and be retried between two rounds: whoever
	// does that moves on, so this ends.
	for {
		err = m.store.Delete(ctx, id)
		if !errors.Is(err, store.ErrNotFinished) {
			return Job{}, err == nil, err
		}
		job, err = m.store.Cancel(ctx, id)
		if !errors.Is(err, store.ErrFinished) {
			m.webhooks.ended(ctx, job)
			return job, false, err
		}
	}
}

// remove answers DELETE /:id: 204 when the job is removed, 202 when it was not over and
// is canceled, or still has to stop.
func (m *Manager) remove(c *gin.Context) {
	if err := m.permitID(c, ActionDelete); err != nil {
		m.fail(c, err)
		return
	}
	job, removed, err := m.Delete(c.Request.Context(), c.Param("id"))
	switch {
	case err != nil:
		m.fail(c, err)
	case removed:
		c.Header("Cache-Control", "no-store")
		c.Status(http.StatusNoContent)
	default:
		m.answerStatus(c, http.StatusAccepted, job)
	}
}
