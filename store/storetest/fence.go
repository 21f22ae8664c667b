package storetest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func fenceCases() []testCase {
	return []testCase{
		{"a session that lost its job cannot write over the next holder", fenceZombie},
		{"another session cannot write to the job", fenceOtherSession},
		{"an earlier claim of the same session cannot write to the job", fenceEarlierClaim},
		{"a claim that never was cannot write", fenceUnknown},
	}
}

func fenceZombie(h *harness) {
	created := h.create()
	zombie, claims := h.dead(1)
	require.Equal(h, 1, h.reclaim(10))
	heir := h.join(longLease)
	claim := h.claimOne(heir)
	require.Equal(h, created.ID, claim.Job.ID)
	require.Equal(h, 2, claim.Job.Attempt)

	h.unwritable(zombie, claims[0].Ref)
	h.unwritable(zombie, claim.Ref)
	h.same(claim.Job, h.get(created.ID))
	h.settle(heir, claim.Ref, completed())
	h.unwritable(zombie, claims[0].Ref)
	_, data, err := h.store.Result(h.ctx(), created.ID)
	require.NoError(h, err)
	assert.Equal(h, "done", string(data))
}

// unwritable asserts that no write under the claim is taken.
func (h *harness) unwritable(session store.Session, ref store.Ref) {
	h.Helper()
	_, err := session.Settle(h.ctx(), ref, store.Complete(result("late")))
	assert.ErrorIs(h, err, store.ErrLeaseLost, "Settle")
	err = session.Report(h.ctx(), ref, store.Progress{Percent: 99})
	assert.ErrorIs(h, err, store.ErrLeaseLost, "Report")
	err = session.Release(h.ctx(), ref, 0)
	assert.ErrorIs(h, err, store.ErrLeaseLost, "Release")
}

func fenceOtherSession(h *harness) {
	session, claim := h.started()
	h.unwritable(h.join(longLease), claim.Ref)
	h.same(claim.Job, h.get(claim.Job.ID))
	h.settle(session, claim.Ref, completed())
	h.unwritable(h.join(longLease), claim.Ref)
}

func fenceEarlierClaim(h *harness) {
	session, claim := h.started()
	require.NoError(h, session.Release(h.ctx(), claim.Ref, 0))
	h.unwritable(session, claim.Ref)
	again := h.claimOne(session)
	require.Equal(h, claim.Job.Attempt, again.Job.Attempt, "the attempt alone would not tell them apart")
	h.unwritable(session, claim.Ref)
	h.same(again.Job, h.get(claim.Job.ID))
	assert.Equal(h, store.Completed, h.settle(session, again.Ref, completed()))
	h.unwritable(session, claim.Ref)
}

func fenceUnknown(h *harness) {
	session, claim := h.started()
	for _, ref := range []store.Ref{
		{},
		{ID: claim.Ref.ID},
		{ID: claim.Ref.ID, Claim: claim.Ref.Claim + 1},
		{ID: store.NewID('a'), Claim: claim.Ref.Claim},
		{ID: h.create().ID, Claim: 0},
		{ID: h.create().ID, Claim: claim.Ref.Claim},
	} {
		h.unwritable(session, ref)
	}
	h.same(claim.Job, h.get(claim.Job.ID))
}
