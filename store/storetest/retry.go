package storetest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func retryCases() []testCase {
	return []testCase{
		{"a failed job is queued again, attempts counted on", retryFailed},
		{"a retried job runs with the request it came with", retryKeepsRequest},
		{"a job that has not failed is returned with ErrNotFailed", retryOthers},
	}
}

func retryFailed(h *harness) {
	session, claim := h.started(attempts(1))
	require.NoError(h, session.Report(h.ctx(), claim.Ref, store.Progress{Percent: 50}))
	r := result("because")
	h.settle(session, claim.Ref, store.Fail(problem(), &r))
	before := h.get(claim.Job.ID)
	got, err := h.store.Retry(h.ctx(), claim.Job.ID, 2)
	require.NoError(h, err)
	assert.Equal(h, store.Queued, got.State)
	assert.Equal(h, before.Version+1, got.Version)
	assert.Equal(h, 1, got.Attempt)
	assert.Equal(h, 3, got.MaxAttempts)
	assert.False(h, got.ReadyAt.Before(before.FinishedAt))
	assert.True(h, got.FinishedAt.IsZero())
	assert.True(h, got.ExpiresAt.IsZero())
	assert.True(h, got.Problem.IsZero())
	assert.Zero(h, got.Response)
	assert.Zero(h, plain(got).Progress)
	after, data, err := h.store.Result(h.ctx(), claim.Job.ID)
	require.NoError(h, err)
	assert.Nil(h, data)
	h.same(got, after)
}

func retryKeepsRequest(h *harness) {
	session, claim := h.started()
	h.settle(session, claim.Ref, failed())
	_, err := h.store.Retry(h.ctx(), claim.Job.ID, 1)
	require.NoError(h, err)
	again := h.claimOne(session)
	assert.Equal(h, 2, again.Job.Attempt)
	assert.Greater(h, again.Ref.Claim, claim.Ref.Claim)
	assert.Equal(h, "request", string(again.Request))
	assert.Equal(h, "envelope", string(again.Envelope))
	assert.Equal(h, store.Completed, h.settle(session, again.Ref, completed()))
}

func retryOthers(h *harness) {
	session, claim := h.started()
	done := h.create()
	h.settle(session, h.claimOne(session).Ref, completed())
	canceled := h.cancel(h.create().ID)
	waiting, scheduled := h.create(), h.create(delayed(time.Hour))
	for _, id := range []string{claim.Job.ID, done.ID, canceled.ID, waiting.ID, scheduled.ID} {
		before := h.get(id)
		got, err := h.store.Retry(h.ctx(), id, 1)
		require.ErrorIs(h, err, store.ErrNotFailed, before.State)
		h.same(before, got)
		h.same(before, h.get(id))
	}
}
