package storetest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func settleCases() []testCase {
	return []testCase{
		{"a completed job has its result", settleComplete},
		{"a failed job has its problem, and its result when there is one", settleFail},
		{"a job to be retried is scheduled with its problem and without a result", settleRetry},
		{"an attempt can end canceled", settleCancel},
		{"completing removes the problem of an earlier attempt", settleClearsProblem},
		{"a repeated settle changes nothing and returns what the first did", settleTwice},
		{"a repeated settle after a retry returns what the first did", settleTwiceAfterRetry},
		{"an outcome that is none is refused and changes nothing", settleWithoutOutcome},
	}
}

func settleComplete(h *harness) {
	session, claim := h.started()
	assert.Equal(h, store.Completed, h.settle(session, claim.Ref, completed()))
	got, data, err := h.store.Result(h.ctx(), claim.Job.ID)
	require.NoError(h, err)
	assert.Equal(h, "done", string(data))
	assert.Equal(h, store.Completed, got.State)
	assert.Equal(h, claim.Job.Version+1, got.Version)
	assert.Equal(h, result("done").Response, got.Response)
	assert.True(h, got.Problem.IsZero())
	assert.False(h, got.FinishedAt.Before(got.StartedAt))
	assert.WithinDuration(h, got.FinishedAt.Add(time.Hour), got.ExpiresAt, tolerance)
	h.same(got, h.get(claim.Job.ID))
}

func settleFail(h *harness) {
	r := result("because")
	r.Status = 422
	for name, recorded := range map[string]*store.Result{"without a result": nil, "with a result": &r} {
		session, claim := h.started()
		assert.Equal(h, store.Failed, h.settle(session, claim.Ref, store.Fail(problem(), recorded)), name)
		got, data, err := h.store.Result(h.ctx(), claim.Job.ID)
		require.NoError(h, err)
		assert.Equal(h, store.Failed, got.State)
		assert.Equal(h, problem(), got.Problem)
		assert.False(h, got.FinishedAt.IsZero())
		assert.False(h, got.ExpiresAt.IsZero())
		if recorded == nil {
			assert.Nil(h, data, name)
			assert.Zero(h, got.Response, name)
		} else {
			assert.Equal(h, "because", string(data), name)
			assert.Equal(h, r.Response, got.Response, name)
		}
	}
}

func settleRetry(h *harness) {
	session, claim := h.started()
	assert.Equal(h, store.Scheduled, h.settle(session, claim.Ref, retried(time.Hour)))
	got, data, err := h.store.Result(h.ctx(), claim.Job.ID)
	require.NoError(h, err)
	assert.Nil(h, data)
	assert.Equal(h, store.Scheduled, got.State)
	assert.Equal(h, claim.Job.Version+1, got.Version)
	assert.Equal(h, 1, got.Attempt)
	assert.Equal(h, problem(), got.Problem)
	assert.Zero(h, got.Response)
	assert.True(h, got.FinishedAt.IsZero())
	assert.True(h, got.ExpiresAt.IsZero())
	assert.True(h, got.DueAt.After(got.StartedAt.Add(time.Hour-time.Minute)))
	assert.True(h, got.ReadyAt.Equal(got.DueAt))
	assert.Empty(h, h.claim(session, 1).Claims)
}

func settleCancel(h *harness) {
	session, claim := h.started()
	assert.Equal(h, store.Canceled, h.settle(session, claim.Ref, store.Cancel()))
	got, data, err := h.store.Result(h.ctx(), claim.Job.ID)
	require.NoError(h, err)
	assert.Equal(h, store.Canceled, got.State)
	assert.Nil(h, data)
	assert.False(h, got.FinishedAt.IsZero())
}

func settleClearsProblem(h *harness) {
	session, claim := h.started()
	h.settle(session, claim.Ref, retried(0))
	second := h.claimOne(session)
	assert.Equal(h, 2, second.Job.Attempt)
	assert.Equal(h, problem(), second.Job.Problem)
	h.settle(session, second.Ref, completed())
	assert.True(h, h.get(claim.Job.ID).Problem.IsZero())
}

func settleTwice(h *harness) {
	for _, first := range []store.Outcome{completed(), failed(), retried(time.Hour), store.Cancel()} {
		session, claim := h.started()
		h.settle(session, claim.Ref, first)
		before := h.get(claim.Job.ID)
		for _, second := range []store.Outcome{first, failed(), store.Complete(result("another"))} {
			assert.Equal(h, first.State(), h.settle(session, claim.Ref, second))
		}
		got, data, err := h.store.Result(h.ctx(), claim.Job.ID)
		require.NoError(h, err)
		h.same(before, got)
		assert.NotEqual(h, "another", string(data))
	}
}

func settleTwiceAfterRetry(h *harness) {
	session, claim := h.started()
	h.settle(session, claim.Ref, failed())
	queued, err := h.store.Retry(h.ctx(), claim.Job.ID, 1)
	require.NoError(h, err)
	assert.Equal(h, store.Failed, h.settle(session, claim.Ref, failed()))
	h.same(queued, h.get(claim.Job.ID))
}

func settleWithoutOutcome(h *harness) {
	session, claim := h.started()
	_, err := session.Settle(h.ctx(), claim.Ref, store.Outcome{})
	require.Error(h, err)
	h.same(claim.Job, h.get(claim.Job.ID))
	assert.Equal(h, store.Completed, h.settle(session, claim.Ref, completed()))
}
