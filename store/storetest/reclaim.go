package storetest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func reclaimCases() []testCase {
	return []testCase{
		{"jobs of a dead session return to the head in their order, attempts counted", reclaimToHead},
		{"a job without attempts left ends failed with WorkerLost", reclaimLastAttempt},
		{"a job that was asked to stop ends canceled", reclaimCanceled},
		{"a live session keeps its jobs", reclaimLive},
		{"a limit is kept, and the rest is taken by the next call", reclaimLimit},
		{"a session that is partly taken is over", reclaimPartly},
	}
}

func reclaimToHead(h *harness) {
	var created []string
	for range 4 {
		created = append(created, h.create().ID)
	}
	_, claims := h.dead(3)
	require.Equal(h, 3, h.reclaim(10))
	got := h.get(claims[0].Job.ID)
	assert.Equal(h, store.Queued, got.State)
	assert.Equal(h, 1, got.Attempt)
	assert.Equal(h, claims[0].Job.Version+1, got.Version)
	assert.True(h, got.ReadyAt.Equal(claims[0].Job.ReadyAt))
	assert.Equal(h, 0, h.reclaim(10))

	again := h.claim(h.join(longLease), 10).Claims
	assert.Equal(h, created, ids(again))
	assert.Equal(h, 2, again[0].Job.Attempt)
	assert.Equal(h, 1, again[3].Job.Attempt)
}

func reclaimLastAttempt(h *harness) {
	created := h.create(attempts(1))
	h.dead(1)
	require.Equal(h, 1, h.reclaim(10))
	got, data, err := h.store.Result(h.ctx(), created.ID)
	require.NoError(h, err)
	assert.Equal(h, store.Failed, got.State)
	assert.Equal(h, store.WorkerLost(), got.Problem)
	assert.Equal(h, 1, got.Attempt)
	assert.False(h, got.FinishedAt.IsZero())
	assert.False(h, got.ExpiresAt.IsZero())
	assert.Nil(h, data)
}

func reclaimCanceled(h *harness) {
	created := h.create()
	h.dead(1)
	h.cancel(created.ID)
	require.Equal(h, 1, h.reclaim(10))
	assert.Equal(h, store.Canceled, h.get(created.ID).State)
}

func reclaimLive(h *harness) {
	session, claim := h.started()
	h.create()
	h.dead(1)
	assert.Equal(h, 1, h.reclaim(10))
	h.same(claim.Job, h.get(claim.Job.ID))
	assert.Equal(h, store.Completed, h.settle(session, claim.Ref, completed()))
}

func reclaimLimit(h *harness) {
	var created []string
	for range 5 {
		created = append(created, h.create().ID)
	}
	h.dead(5)
	assert.Equal(h, 2, h.reclaim(2))
	assert.Equal(h, store.Stats{Queued: 2, InProgress: 3}, h.stats())
	assert.Equal(h, 2, h.reclaim(2))
	assert.Equal(h, 1, h.reclaim(2))
	assert.Equal(h, 0, h.reclaim(2))
	assert.Equal(h, created, ids(h.claim(h.join(longLease), 5).Claims))
}

func reclaimPartly(h *harness) {
	h.create()
	h.create()
	session, claims := h.dead(2)
	require.Equal(h, 1, h.reclaim(1))
	_, err := session.Renew(h.ctx())
	require.ErrorIs(h, err, store.ErrLeaseLost)
	for _, c := range claims {
		h.refused(session, c.Ref)
	}
	assert.Equal(h, 1, h.reclaim(1))
	assert.Equal(h, 2, h.stats().Queued)
}
