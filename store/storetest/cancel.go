package storetest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func cancelCases() []testCase {
	return []testCase{
		{"a waiting job is canceled at once", cancelWaiting},
		{"a running job is marked and its session is told", cancelRunning},
		{"a marked job ends canceled however its attempt ends", cancelOverrides},
		{"a second cancel changes nothing", cancelTwice},
		{"a finished job is returned with ErrFinished", cancelFinished},
	}
}

func cancelWaiting(h *harness) {
	for _, created := range []store.Job{h.create(), h.create(delayed(time.Hour))} {
		got := h.cancel(created.ID)
		assert.Equal(h, store.Canceled, got.State)
		assert.Equal(h, created.Version+1, got.Version)
		assert.False(h, got.FinishedAt.IsZero())
		assert.WithinDuration(h, got.FinishedAt.Add(time.Hour), got.ExpiresAt, tolerance)
		assert.True(h, got.DueAt.IsZero())
		h.same(got, h.get(created.ID))
	}
	assert.Equal(h, store.Stats{Finished: 2}, h.stats())
}

func cancelRunning(h *harness) {
	session, claim := h.started()
	h.create()
	other := h.claimOne(session)
	drain(session.StopAsked())
	got := h.cancel(claim.Job.ID)
	assert.Equal(h, store.InProgress, got.State)
	assert.Equal(h, claim.Job.Version+1, got.Version)
	assert.False(h, got.CancelRequestedAt.IsZero())
	h.receives(session.StopAsked(), "the session is told to look")
	renewal := h.renew(session)
	assert.ElementsMatch(h, []store.Ref{claim.Ref, other.Ref}, renewal.Held)
	assert.Equal(h, []store.Ref{claim.Ref}, renewal.Stop)
}

func cancelOverrides(h *harness) {
	r := result("because")
	for name, outcome := range map[string]store.Outcome{
		"complete": completed(), "fail": store.Fail(problem(), &r), "retry": retried(0), "cancel": store.Cancel(),
	} {
		session, claim := h.started()
		h.cancel(claim.Job.ID)
		assert.Equal(h, store.Canceled, h.settle(session, claim.Ref, outcome), name)
		assert.Equal(h, store.Canceled, h.settle(session, claim.Ref, outcome), "%s, again", name)
		got, data, err := h.store.Result(h.ctx(), claim.Job.ID)
		require.NoError(h, err)
		assert.Equal(h, store.Canceled, got.State, name)
		assert.Nil(h, data, name)
		assert.Zero(h, got.Response, name)
		assert.Equal(h, claim.Job.Version+2, got.Version, name)
	}
}

func cancelTwice(h *harness) {
	session, claim := h.started()
	marked := h.cancel(claim.Job.ID)
	h.same(marked, h.cancel(claim.Job.ID))
	h.settle(session, claim.Ref, store.Cancel())
	canceled := h.get(claim.Job.ID)
	h.same(canceled, h.cancel(claim.Job.ID))
	h.same(canceled, h.get(claim.Job.ID))
}

func cancelFinished(h *harness) {
	for _, outcome := range []store.Outcome{completed(), failed()} {
		session, claim := h.started()
		h.settle(session, claim.Ref, outcome)
		before := h.get(claim.Job.ID)
		got, err := h.store.Cancel(h.ctx(), claim.Job.ID)
		require.ErrorIs(h, err, store.ErrFinished)
		h.same(before, got)
		h.same(before, h.get(claim.Job.ID))
	}
}
