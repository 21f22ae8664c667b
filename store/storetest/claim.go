package storetest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func claimCases() []testCase {
	return []testCase{
		{"a claim hands out the job with its request and begins an attempt", claimBegins},
		{"jobs are claimed in the order they came", claimOrder},
		{"a claim takes no more than wanted of each queue", claimLimits},
		{"no jobs is no error", claimNone},
		{"a scheduled job is claimed when its time has come, two steps on", claimDue},
		{"due jobs that are left over are queued in the same step", claimQueuesDue},
		{"NextDue tells when the next job of the wanted queues is due", nextDue},
		{"a cancelled waiting job is not claimed", claimSkipsCanceled},
		{"a job is claimed by one session only", claimOnce},
		{"the number of the claim rises with every claim", claimNumbers},
	}
}

func claimBegins(h *harness) {
	session := h.join(longLease)
	created := h.create()
	claim := h.claimOne(session)
	assert.Equal(h, created.ID, claim.Ref.ID)
	assert.Positive(h, claim.Ref.Claim)
	assert.Equal(h, "request", string(claim.Request))
	assert.Equal(h, "envelope", string(claim.Envelope))
	assert.Equal(h, store.InProgress, claim.Job.State)
	assert.Equal(h, 1, claim.Job.Attempt)
	assert.Equal(h, created.Version+1, claim.Job.Version)
	assert.False(h, claim.Job.StartedAt.Before(created.CreatedAt))
	assert.True(h, claim.Job.ReadyAt.Equal(created.ReadyAt))
	h.same(claim.Job, h.get(created.ID))
}

func claimOrder(h *harness) {
	session := h.join(longLease)
	var created []string
	for range 6 {
		created = append(created, h.create().ID)
	}
	claims := h.claim(session, 2).Claims
	claims = append(claims, h.claim(session, 10).Claims...)
	assert.Equal(h, created, ids(claims))
}

func claimLimits(h *harness) {
	session := h.join(longLease)
	for range 3 {
		h.create()
		h.create(inQueue("pdf"))
		h.create(inQueue("video"))
	}
	batch, err := session.Claim(h.ctx(), []store.Want{{Queue: queueName, Max: 2}, {Queue: "pdf", Max: 1}, {Queue: "video", Max: 0}})
	require.NoError(h, err)
	taken := map[string]int{}
	for _, c := range batch.Claims {
		taken[c.Job.Queue]++
	}
	assert.Equal(h, map[string]int{queueName: 2, "pdf": 1}, taken)
	assert.Equal(h, 6, h.stats().Queued)
}

func claimNone(h *harness) {
	session := h.join(longLease)
	h.create(inQueue("pdf"))
	for _, want := range [][]store.Want{nil, {{Queue: queueName, Max: 5}}, {{Queue: "pdf", Max: -1}}} {
		batch, err := session.Claim(h.ctx(), want)
		require.NoError(h, err)
		assert.Empty(h, batch.Claims)
		assert.Negative(h, batch.NextDue)
	}
}

func claimDue(h *harness) {
	session := h.join(longLease)
	created := h.create(delayed(100 * time.Millisecond))
	var batch store.Batch
	h.eventually("the job is due", func() bool {
		batch = h.claim(session, 1)
		return len(batch.Claims) == 1
	})
	claimed := batch.Claims[0].Job
	assert.Equal(h, created.ID, claimed.ID)
	assert.Equal(h, store.InProgress, claimed.State)
	assert.Equal(h, created.Version+2, claimed.Version)
	assert.True(h, claimed.DueAt.IsZero())
	assert.True(h, claimed.ReadyAt.Equal(created.ReadyAt))
	assert.False(h, claimed.StartedAt.Before(created.DueAt), "not before its time")
	assert.Negative(h, batch.NextDue)
}

func claimQueuesDue(h *harness) {
	session := h.join(longLease)
	first := h.create()
	due := h.create(delayed(30 * time.Millisecond))
	h.pass(50 * time.Millisecond)
	assert.Equal(h, first.ID, h.claimOne(session).Job.ID)
	got := h.get(due.ID)
	assert.Equal(h, store.Queued, got.State)
	assert.Equal(h, due.Version+1, got.Version)
	assert.True(h, got.DueAt.IsZero())
	assert.Equal(h, due.ID, h.claimOne(session).Job.ID)
}

func nextDue(h *harness) {
	session := h.join(longLease)
	h.create(delayed(2 * time.Hour))
	h.create(inQueue("pdf"), delayed(time.Hour))
	h.create(inQueue("video"), delayed(time.Minute))
	batch, err := session.Claim(h.ctx(), []store.Want{{Queue: queueName, Max: 1}, {Queue: "pdf", Max: 1}})
	require.NoError(h, err)
	assert.Empty(h, batch.Claims)
	assert.LessOrEqual(h, batch.NextDue, time.Hour)
	assert.Greater(h, batch.NextDue, time.Hour-time.Minute)
}

func claimSkipsCanceled(h *harness) {
	session := h.join(longLease)
	var waiting []string
	for i := range 5 {
		j := h.create()
		if i%2 == 0 {
			h.cancel(j.ID)
		} else {
			waiting = append(waiting, j.ID)
		}
	}
	h.cancel(h.create(delayed(time.Hour)).ID)
	batch := h.claim(session, 10)
	assert.Equal(h, waiting, ids(batch.Claims))
	assert.Negative(h, batch.NextDue)
}

func claimOnce(h *harness) {
	one, other := h.join(longLease), h.join(longLease)
	h.create()
	h.claimOne(one)
	assert.Empty(h, h.claim(one, 1).Claims)
	assert.Empty(h, h.claim(other, 1).Claims)
}

func claimNumbers(h *harness) {
	session, claim := h.started()
	last := claim.Ref
	for range 3 {
		require.NoError(h, session.Release(h.ctx(), last, 0))
		next := h.claimOne(session).Ref
		assert.Equal(h, last.ID, next.ID)
		assert.Greater(h, next.Claim, last.Claim)
		last = next
	}
}
