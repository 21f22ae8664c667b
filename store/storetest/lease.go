package storetest

import (
	"errors"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func leaseCases() []testCase {
	return []testCase{
		{"a session whose lease ran out can do nothing", leaseRunsOut},
		{"a renewal takes a lapsed lease back, with its jobs", leaseTakenBack},
		{"a session that renews keeps its jobs", leaseRenewed},
		{"a session that was reclaimed is over", leaseReclaimed},
		{"a renewal tells what the session holds", leaseHeld},
		{"leaving releases the jobs to the head, in their order, not counted", leaveReleases},
		{"leaving ends a marked job canceled", leaveCancels},
		{"a session that left is over, and leaving again is no error", leaveTwice},
	}
}

func leaseRunsOut(h *harness) {
	h.create()
	session, claims := h.dead(1)
	before := h.get(claims[0].Job.ID)
	h.refused(session, claims[0].Ref)
	h.same(before, h.get(claims[0].Job.ID))
	assert.Zero(h, h.stats().Sessions)
}

// refused asserts that every write of a session is answered ErrLeaseLost.
func (h *harness) refused(session store.Session, ref store.Ref) {
	h.Helper()
	_, err := session.Settle(h.ctx(), ref, completed())
	assert.ErrorIs(h, err, store.ErrLeaseLost, "Settle")
	err = session.Report(h.ctx(), ref, store.Progress{Percent: 1})
	assert.ErrorIs(h, err, store.ErrLeaseLost, "Report")
	err = session.Release(h.ctx(), ref, 0)
	assert.ErrorIs(h, err, store.ErrLeaseLost, "Release")
	_, err = session.Claim(h.ctx(), []store.Want{{Queue: queueName, Max: 1}})
	assert.ErrorIs(h, err, store.ErrLeaseLost, "Claim")
}

func leaseTakenBack(h *harness) {
	h.create()
	session, claims := h.dead(1)
	h.eventually("the job is settled within the lease", func() bool {
		assert.Equal(h, refs(claims), h.renew(session).Held)
		_, err := session.Settle(h.ctx(), claims[0].Ref, completed())
		if errors.Is(err, store.ErrLeaseLost) { // the machine was slow
			return false
		}
		require.NoError(h, err)
		return true
	})
	assert.Zero(h, h.reclaim(10))
}

func leaseRenewed(h *harness) {
	h.create()
	session := h.join(2 * shortLease)
	claim := h.claimOne(session)
	for range 8 {
		h.pass(shortLease / 2)
		h.renew(session)
		assert.Zero(h, h.reclaim(10))
	}
	assert.Equal(h, store.Completed, h.settle(session, claim.Ref, completed()))
}

func leaseReclaimed(h *harness) {
	h.create()
	session, claims := h.dead(1)
	assert.Equal(h, 1, h.reclaim(10))
	before := h.get(claims[0].Job.ID)
	_, err := session.Renew(h.ctx())
	require.ErrorIs(h, err, store.ErrLeaseLost)
	h.refused(session, claims[0].Ref)
	h.same(before, h.get(claims[0].Job.ID))
	require.NoError(h, session.Leave(h.ctx()))
	h.same(before, h.get(claims[0].Job.ID))
}

func leaseHeld(h *harness) {
	session := h.join(longLease)
	renewal := h.renew(session)
	assert.Empty(h, renewal.Held)
	assert.Empty(h, renewal.Stop)
	for range 3 {
		h.create()
	}
	claims := h.claim(session, 3).Claims
	require.Len(h, claims, 3)
	before := h.get(claims[0].Job.ID)
	assert.ElementsMatch(h, refs(claims), h.renew(session).Held)
	h.same(before, h.get(claims[0].Job.ID))
	h.settle(session, claims[0].Ref, completed())
	require.NoError(h, session.Release(h.ctx(), claims[1].Ref, longLease))
	assert.Equal(h, refs(claims[2:]), h.renew(session).Held)
}

func leaveReleases(h *harness) {
	session, other := h.join(longLease), h.join(longLease)
	var created []string
	for range 4 {
		created = append(created, h.create().ID)
	}
	require.Len(h, h.claim(session, 3).Claims, 3)
	require.NoError(h, session.Leave(h.ctx()))
	claims := h.claim(other, 4).Claims
	assert.Equal(h, created, ids(claims))
	for _, c := range claims {
		assert.Equal(h, 1, c.Job.Attempt)
	}
}

func leaveCancels(h *harness) {
	session, claim := h.started()
	h.cancel(claim.Job.ID)
	require.NoError(h, session.Leave(h.ctx()))
	assert.Equal(h, store.Canceled, h.get(claim.Job.ID).State)
}

func leaveTwice(h *harness) {
	session, claim := h.started()
	require.NoError(h, session.Leave(h.ctx()))
	before := h.get(claim.Job.ID)
	require.NoError(h, session.Leave(h.ctx()))
	_, err := session.Renew(h.ctx())
	assert.ErrorIs(h, err, store.ErrLeaseLost)
	h.refused(session, claim.Ref)
	h.same(before, h.get(claim.Job.ID))
}
