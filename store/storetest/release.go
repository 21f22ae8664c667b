package storetest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func releaseCases() []testCase {
	return []testCase{
		{"a released job returns to the head of its queue, its attempt not counted", releaseToHead},
		{"a job released with a delay is scheduled, its attempt not counted", releaseWithDelay},
		{"a released job cannot be settled", releasedIsGone},
		{"a job that was asked to stop ends canceled when it is released", releaseOfCanceled},
	}
}

func releaseToHead(h *harness) {
	session := h.join(longLease)
	first, second := h.create(), h.create()
	claim := h.claimOne(session)
	require.NoError(h, session.Release(h.ctx(), claim.Ref, 0))
	got := h.get(first.ID)
	assert.Equal(h, store.Queued, got.State)
	assert.Equal(h, 0, got.Attempt)
	assert.Equal(h, claim.Job.Version+1, got.Version)
	assert.True(h, got.ReadyAt.Equal(first.ReadyAt))
	claims := h.claim(session, 2).Claims
	assert.Equal(h, []string{first.ID, second.ID}, ids(claims))
	assert.Equal(h, 1, claims[0].Job.Attempt)
}

func releaseWithDelay(h *harness) {
	session, claim := h.started()
	require.NoError(h, session.Release(h.ctx(), claim.Ref, time.Hour))
	got := h.get(claim.Job.ID)
	assert.Equal(h, store.Scheduled, got.State)
	assert.Equal(h, 0, got.Attempt)
	assert.Equal(h, claim.Job.Version+1, got.Version)
	assert.True(h, got.DueAt.After(got.StartedAt.Add(time.Hour-time.Minute)))
	assert.True(h, got.ReadyAt.Equal(claim.Job.ReadyAt), "a release does not move it")
	assert.Empty(h, h.claim(session, 1).Claims)
}

func releasedIsGone(h *harness) {
	session, claim := h.started()
	require.NoError(h, session.Release(h.ctx(), claim.Ref, 0))
	before := h.get(claim.Job.ID)
	assert.ErrorIs(h, session.Release(h.ctx(), claim.Ref, 0), store.ErrLeaseLost)
	_, err := session.Settle(h.ctx(), claim.Ref, completed())
	assert.ErrorIs(h, err, store.ErrLeaseLost)
	h.same(before, h.get(claim.Job.ID))
}

func releaseOfCanceled(h *harness) {
	for _, delay := range []time.Duration{0, time.Hour} {
		session, claim := h.started()
		h.cancel(claim.Job.ID)
		require.NoError(h, session.Release(h.ctx(), claim.Ref, delay))
		got := h.get(claim.Job.ID)
		assert.Equal(h, store.Canceled, got.State)
		assert.False(h, got.FinishedAt.IsZero())
		assert.Empty(h, h.claim(session, 1).Claims)
	}
}
