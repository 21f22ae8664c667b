package storetest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func deleteCases() []testCase {
	return []testCase{
		{"a finished job is removed with all that belongs to it", deleteFinished},
		{"a job that is not over is not removed", deleteActive},
	}
}

func deleteFinished(h *harness) {
	for _, outcome := range []store.Outcome{completed(), failed(), store.Cancel()} {
		session, claim := h.started()
		h.settle(session, claim.Ref, outcome)
		require.NoError(h, h.store.Delete(h.ctx(), claim.Job.ID))
		_, err := h.store.Get(h.ctx(), claim.Job.ID)
		assert.ErrorIs(h, err, store.ErrNotFound)
		_, _, err = h.store.Result(h.ctx(), claim.Job.ID)
		assert.ErrorIs(h, err, store.ErrNotFound)
		assert.ErrorIs(h, h.store.Delete(h.ctx(), claim.Job.ID), store.ErrNotFound)
	}
	page, err := h.store.List(h.ctx(), store.Query{Owner: "alice"})
	require.NoError(h, err)
	assert.Empty(h, page.Jobs)
	assert.Zero(h, h.stats().Finished)
}

func deleteActive(h *harness) {
	_, claim := h.started()
	for _, id := range []string{claim.Job.ID, h.create().ID, h.create(delayed(time.Hour)).ID} {
		before := h.get(id)
		require.ErrorIs(h, h.store.Delete(h.ctx(), id), store.ErrNotFinished)
		h.same(before, h.get(id))
	}
}
