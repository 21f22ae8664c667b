package storetest

import (
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func createCases() []testCase {
	return []testCase{
		{"a new job is queued with what it was made from", newJobIsQueued},
		{"a delayed job is scheduled until its delay is over", delayedJobIsScheduled},
		{"Get returns what Create returned", getReturnsTheJob},
		{"every job has its own valid id", everyJobHasItsID},
		{"an id that the store does not have is not found", unknownIDs},
		{"the bound on waiting jobs counts queued and scheduled ones", boundOnWaiting},
		{"a place under the bound is free again when its job leaves", boundIsFreedAgain},
		{"stats count jobs by state and live sessions", statsCount},
		{"a job without request and envelope is a job", emptyRequest},
	}
}

func newJobIsQueued(h *harness) {
	j := h.create()
	assert.Equal(h, routeName, j.Route)
	assert.Equal(h, queueName, j.Queue)
	assert.Equal(h, "alice", j.Owner)
	assert.Equal(h, store.Queued, j.State)
	assert.Equal(h, int64(1), j.Version)
	assert.Equal(h, 0, j.Attempt)
	assert.Equal(h, 3, j.MaxAttempts)
	assert.False(h, j.CreatedAt.IsZero())
	assert.True(h, j.ReadyAt.Equal(j.CreatedAt))
	for name, t := range map[string]time.Time{
		"due": j.DueAt, "started": j.StartedAt, "finished": j.FinishedAt,
		"expires": j.ExpiresAt, "cancel requested": j.CancelRequestedAt, "progress": j.Progress.UpdatedAt,
	} {
		assert.True(h, t.IsZero(), name)
	}
	assert.Zero(h, j.Response)
	assert.True(h, j.Problem.IsZero())
}

func delayedJobIsScheduled(h *harness) {
	j := h.create(delayed(time.Hour))
	assert.Equal(h, store.Scheduled, j.State)
	assert.Equal(h, int64(1), j.Version)
	assert.WithinDuration(h, j.CreatedAt.Add(time.Hour), j.DueAt, tolerance)
	assert.WithinDuration(h, j.DueAt, j.ReadyAt, tolerance)
	assert.Empty(h, h.claim(h.join(longLease), 1).Claims)
}

func getReturnsTheJob(h *harness) {
	for _, j := range []store.Job{h.create(), h.create(delayed(time.Hour))} {
		h.same(j, h.get(j.ID))
		withResult, data, err := h.store.Result(h.ctx(), j.ID)
		require.NoError(h, err)
		h.same(j, withResult)
		assert.Nil(h, data, "there is no result yet")
	}
}

func everyJobHasItsID(h *harness) {
	seen := map[string]bool{}
	for range 50 {
		j := h.create()
		assert.True(h, store.ValidID(j.ID), j.ID)
		assert.False(h, seen[j.ID], j.ID)
		seen[j.ID] = true
	}
}

func unknownIDs(h *harness) {
	known := h.create().ID
	strange := []string{
		store.NewID(known[0]), store.NewID('b'), "", "x", "../" + known, known + " ", strings.ToUpper(known),
		known[:len(known)-4] + "aaaa", known[:9] + strings.Repeat("a", len(known)-9), strings.Repeat("a", 1000),
	}
	for _, id := range strange {
		_, err := h.store.Get(h.ctx(), id)
		assert.ErrorIs(h, err, store.ErrNotFound, "Get %q", id)
		_, _, err = h.store.Result(h.ctx(), id)
		assert.ErrorIs(h, err, store.ErrNotFound, "Result %q", id)
		_, err = h.store.Cancel(h.ctx(), id)
		assert.ErrorIs(h, err, store.ErrNotFound, "Cancel %q", id)
		_, err = h.store.Retry(h.ctx(), id, 1)
		assert.ErrorIs(h, err, store.ErrNotFound, "Retry %q", id)
		assert.ErrorIs(h, h.store.Delete(h.ctx(), id), store.ErrNotFound, "Delete %q", id)
	}
	assert.Equal(h, store.Queued, h.get(known).State)
}

func boundOnWaiting(h *harness) {
	bounded := job()
	bounded.MaxWaiting = 2
	h.create()
	h.create(delayed(time.Hour))
	_, isNew, err := h.store.Create(h.ctx(), bounded)
	require.ErrorIs(h, err, store.ErrFull)
	assert.False(h, isNew)
	assert.Equal(h, store.Stats{Queued: 1, Scheduled: 1}, h.stats())

	bounded.MaxWaiting = 3
	_, isNew, err = h.store.Create(h.ctx(), bounded)
	require.NoError(h, err)
	assert.True(h, isNew)
	h.create() // without a bound
}

func boundIsFreedAgain(h *harness) {
	one := func(j *store.NewJob) { j.MaxWaiting = 1 }
	first := h.create(one)
	h.cancel(first.ID)
	second := h.create(one)
	session := h.join(longLease)
	claim := h.claimOne(session)
	assert.Equal(h, second.ID, claim.Job.ID)
	h.create(one) // a job in progress does not wait
	h.settle(session, claim.Ref, completed())
	_, _, err := h.store.Create(h.ctx(), store.NewJob{
		Route: routeName, Queue: queueName, MaxAttempts: 1, Retention: time.Hour, MaxWaiting: 1,
	})
	assert.ErrorIs(h, err, store.ErrFull)
}

func statsCount(h *harness) {
	session := h.join(longLease)
	for range 4 {
		h.create()
	}
	h.create(delayed(time.Hour))
	claims := h.claim(session, 2).Claims
	require.Len(h, claims, 2)
	h.settle(session, claims[0].Ref, completed())
	assert.Equal(h, store.Stats{Queued: 2, Scheduled: 1, InProgress: 1, Finished: 1, Sessions: 1}, h.stats())
	require.NoError(h, session.Leave(h.ctx()))
	assert.Equal(h, store.Stats{Queued: 3, Scheduled: 1, Finished: 1}, h.stats())
}

func emptyRequest(h *harness) {
	_, claim := h.started(func(j *store.NewJob) { j.Request, j.Envelope = nil, nil })
	assert.Empty(h, claim.Request)
	assert.Empty(h, claim.Envelope)
}
