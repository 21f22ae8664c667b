package storetest

import (
	"errors"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

const shortRetention = 50 * time.Millisecond

func retentionCases() []testCase {
	return []testCase{
		{"a finished job is gone when its retention is over", goneAfterRetention},
		{"a job that is not over does not expire", activeDoesNotExpire},
		{"a retried job does not expire", retriedDoesNotExpire},
		{"each job has its own retention", ownRetention},
	}
}

// gone waits until a job is not found.
func (h *harness) gone(id string) {
	h.Helper()
	h.eventually("the job is gone", func() bool {
		_, err := h.store.Get(h.ctx(), id)
		return errors.Is(err, store.ErrNotFound)
	})
}

func goneAfterRetention(h *harness) {
	for _, outcome := range []store.Outcome{completed(), failed(), store.Cancel()} {
		session, claim := h.started(keptFor(shortRetention))
		h.settle(session, claim.Ref, outcome)
		h.gone(claim.Job.ID)
		_, _, err := h.store.Result(h.ctx(), claim.Job.ID)
		require.ErrorIs(h, err, store.ErrNotFound)
		_, err = h.store.Retry(h.ctx(), claim.Job.ID, 1)
		require.ErrorIs(h, err, store.ErrNotFound)
		assert.Empty(h, h.list(store.Query{Owner: "alice"}).Jobs)
	}
	h.reclaim(10)
	assert.Zero(h, h.stats().Finished)
}

func activeDoesNotExpire(h *harness) {
	session, claim := h.started(keptFor(shortRetention))
	waiting := h.create(keptFor(shortRetention))
	h.pass(2 * shortRetention)
	h.reclaim(10)
	assert.Equal(h, store.Queued, h.get(waiting.ID).State)
	assert.Equal(h, store.InProgress, h.get(claim.Job.ID).State)
	assert.Equal(h, store.Completed, h.settle(session, claim.Ref, completed()))
}

func retriedDoesNotExpire(h *harness) {
	session, claim := h.started(keptFor(4 * shortRetention))
	h.settle(session, claim.Ref, failed())
	if _, err := h.store.Retry(h.ctx(), claim.Job.ID, 1); errors.Is(err, store.ErrNotFound) {
		h.Skip("the machine was too slow to retry the job before it expired")
	}
	h.pass(5 * shortRetention)
	h.reclaim(10)
	assert.Equal(h, store.Queued, h.get(claim.Job.ID).State)
}

func ownRetention(h *harness) {
	short, long := h.create(keptFor(shortRetention)), h.create(keptFor(time.Hour))
	h.cancel(long.ID)
	h.cancel(short.ID)
	h.gone(short.ID)
	h.reclaim(10)
	assert.Equal(h, store.Canceled, h.get(long.ID).State)
}
