package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

const (
	// patience is how long a call or a hint may take before it counts as lost.
	patience = 5 * time.Second
	// pollEvery is the pause between two looks at something that takes its time.
	pollEvery = 5 * time.Millisecond
	// longLease never runs out during a test, shortLease does.
	longLease  = time.Minute
	shortLease = 250 * time.Millisecond
	// tolerance allows for stores that keep milliseconds.
	tolerance = 2 * time.Millisecond

	queueName = "default"
	routeName = "POST /reports"
)

// harness is one subtest with its store. Its methods end the subtest when the
// store returns an error they do not expect.
type harness struct {
	*testing.T
	store store.Store
}

// ctx returns a context for one call.
func (h *harness) ctx() context.Context {
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	h.Cleanup(cancel)
	return ctx
}

// job returns what create stores, for a test to change.
func job() store.NewJob {
	return store.NewJob{
		Route: routeName, Queue: queueName, Owner: "alice",
		MaxAttempts: 3, Retention: time.Hour,
		Request: []byte("request"), Envelope: []byte("envelope"),
	}
}

// create stores a job, changed as told.
func (h *harness) create(changes ...func(*store.NewJob)) store.Job {
	h.Helper()
	wanted := job()
	for _, change := range changes {
		change(&wanted)
	}
	created, isNew, err := h.store.Create(h.ctx(), wanted)
	require.NoError(h, err)
	require.True(h, isNew, "the job is new")
	return created
}

func (h *harness) get(id string) store.Job {
	h.Helper()
	got, err := h.store.Get(h.ctx(), id)
	require.NoError(h, err)
	return got
}

func (h *harness) stats() store.Stats {
	h.Helper()
	stats, err := h.store.Stats(h.ctx())
	require.NoError(h, err)
	return stats
}

// join opens a session that leaves at the end of the test.
func (h *harness) join(lease time.Duration) store.Session {
	h.Helper()
	session, err := h.store.Join(h.ctx(), "worker", lease)
	require.NoError(h, err)
	h.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(h.Context()), patience)
		defer cancel()
		assert.NoError(h, session.Leave(ctx))
	})
	return session
}

// joinAll opens several sessions.
func (h *harness) joinAll(n int) []store.Session {
	h.Helper()
	sessions := make([]store.Session, n)
	for i := range sessions {
		sessions[i] = h.join(longLease)
	}
	return sessions
}

// claim takes up to limit jobs from the usual queue.
func (h *harness) claim(session store.Session, limit int) store.Batch {
	h.Helper()
	batch, err := session.Claim(h.ctx(), []store.Want{{Queue: queueName, Max: limit}})
	require.NoError(h, err)
	return batch
}

// claimOne takes the job that must be there.
func (h *harness) claimOne(session store.Session) store.Claim {
	h.Helper()
	batch := h.claim(session, 1)
	require.Len(h, batch.Claims, 1)
	return batch.Claims[0]
}

// started returns a new job in progress with its session and claim.
func (h *harness) started(changes ...func(*store.NewJob)) (store.Session, store.Claim) {
	h.Helper()
	session := h.join(longLease)
	created := h.create(changes...)
	claim := h.claimOne(session)
	require.Equal(h, created.ID, claim.Job.ID)
	return session, claim
}

func (h *harness) settle(session store.Session, ref store.Ref, outcome store.Outcome) store.State {
	h.Helper()
	state, err := session.Settle(h.ctx(), ref, outcome)
	require.NoError(h, err)
	return state
}

func (h *harness) cancel(id string) store.Job {
	h.Helper()
	canceled, err := h.store.Cancel(h.ctx(), id)
	require.NoError(h, err)
	return canceled
}

func (h *harness) reclaim(limit int) int {
	h.Helper()
	taken, err := h.store.Reclaim(h.ctx(), limit)
	require.NoError(h, err)
	return taken
}

func (h *harness) renew(session store.Session) store.Renewal {
	h.Helper()
	renewal, err := session.Renew(h.ctx())
	require.NoError(h, err)
	return renewal
}

// dying returns a session whose lease is about to run out, holding as many jobs
// of the usual queue as wanted.
func (h *harness) dying(jobs int) (store.Session, []store.Claim) {
	h.Helper()
	session := h.join(shortLease)
	for {
		batch, err := session.Claim(h.ctx(), []store.Want{{Queue: queueName, Max: jobs}})
		if errors.Is(err, store.ErrLeaseLost) { // the machine was slow
			h.renew(session)
			continue
		}
		require.NoError(h, err)
		require.Len(h, batch.Claims, jobs)
		return session, batch.Claims
	}
}

// dead is dying, and waits until the lease has run out.
func (h *harness) dead(jobs int) (store.Session, []store.Claim) {
	h.Helper()
	session, claims := h.dying(jobs)
	h.eventually("the lease has run out", func() bool {
		_, err := session.Claim(h.ctx(), nil)
		return errors.Is(err, store.ErrLeaseLost)
	})
	return session, claims
}

// eventually waits for a condition.
func (h *harness) eventually(what string, met func() bool) {
	h.Helper()
	over := time.NewTimer(patience)
	defer over.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !met() {
		select {
		case <-over.C:
			require.Fail(h, "it did not happen in time", what)
		case <-tick.C:
		}
	}
}

// receives waits for a hint.
func (h *harness) receives(hints <-chan struct{}, what string) {
	h.Helper()
	select {
	case <-hints:
	case <-time.After(patience):
		require.Fail(h, "no hint came in time", what)
	}
}

// drain forgets the hints that are there.
func drain(hints <-chan struct{}) {
	for {
		select {
		case <-hints:
		default:
			return
		}
	}
}

// pass waits until d of real time is over, where there is nothing to look at.
func (h *harness) pass(d time.Duration) {
	h.Helper()
	<-time.After(d)
}

// same asserts that two views of a job agree.
func (h *harness) same(want, got store.Job) {
	h.Helper()
	assert.Equal(h, plain(want), plain(got))
}

// plain drops from the times what does not belong to the instant.
func plain(j store.Job) store.Job {
	for _, t := range []*time.Time{
		&j.CreatedAt, &j.ReadyAt, &j.DueAt, &j.StartedAt, &j.FinishedAt, &j.ExpiresAt,
		&j.CancelRequestedAt, &j.Progress.UpdatedAt,
	} {
		*t = t.UTC().Round(0)
	}
	return j
}

// ids names the claimed jobs in order.
func ids(claims []store.Claim) []string {
	names := make([]string, len(claims))
	for i, c := range claims {
		names[i] = c.Job.ID
	}
	return names
}

// refs names the claims in order.
func refs(claims []store.Claim) []store.Ref {
	names := make([]store.Ref, len(claims))
	for i, c := range claims {
		names[i] = c.Ref
	}
	return names
}
