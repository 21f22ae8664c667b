package storetest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func progressCases() []testCase {
	return []testCase{
		{"a report is stored with its time and is a change", reportIsStored},
		{"the next attempt begins without progress", nextAttemptHasNone},
		{"the progress stays when the job ends", progressStays},
	}
}

func reportIsStored(h *harness) {
	session, claim := h.started()
	for i, p := range []store.Progress{{Percent: 12.5, Message: "reading"}, {Percent: 80}} {
		require.NoError(h, session.Report(h.ctx(), claim.Ref, p))
		got := h.get(claim.Job.ID)
		assert.InDelta(h, p.Percent, got.Progress.Percent, 1e-9)
		assert.Equal(h, p.Message, got.Progress.Message)
		assert.False(h, got.Progress.UpdatedAt.Before(got.StartedAt), "the store sets the time")
		assert.Equal(h, claim.Job.Version+int64(i)+1, got.Version)
		assert.Equal(h, store.InProgress, got.State)
	}
}

func nextAttemptHasNone(h *harness) {
	session, claim := h.started()
	require.NoError(h, session.Report(h.ctx(), claim.Ref, store.Progress{Percent: 50, Message: "half"}))
	h.settle(session, claim.Ref, retried(0))
	assert.Zero(h, plain(h.claimOne(session).Job).Progress)
}

func progressStays(h *harness) {
	session, claim := h.started()
	require.NoError(h, session.Report(h.ctx(), claim.Ref, store.Progress{Percent: 100, Message: "all"}))
	h.settle(session, claim.Ref, completed())
	assert.Equal(h, "all", h.get(claim.Job.ID).Progress.Message)
}
