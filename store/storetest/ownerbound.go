package storetest

import (
	"errors"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func ownerBoundCases() []testCase {
	return []testCase{
		{"the bound counts the queued and scheduled jobs of the owner alone", ownerBoundCounts},
		{"a job without an owner has no such bound", noOwnerNoBound},
		{"a key that is held is looked at before the bound, and a refusal leaves it free", ownerBoundAndKey},
		{"the owner's bound is looked at before that of the store", ownerBoundComesFirst},
		{"a place is free when its job is claimed or canceled", ownerPlaceIsFreed},
		{"a job that waits again takes a place again", ownerPlaceIsTakenAgain},
		{"a job that the bound of the store refuses takes no place", ownerPlaceOfRefused},
		{"an owner whose jobs have gone has all places", ownerPlacesAfterAll},
		{"concurrent creates fill the bound exactly", createsFillTheOwnersBound},
	}
}

// bounded gives a job an owner who may have n that wait.
func bounded(owner string, n int) func(*store.NewJob) {
	return func(j *store.NewJob) { j.Owner, j.MaxWaitingOfOwner = owner, n }
}

// ownerIsFull asserts that the owner has n waiting jobs and not fewer.
func (h *harness) ownerIsFull(owner string, n int, changes ...func(*store.NewJob)) {
	h.Helper()
	wanted := job()
	for _, change := range append(changes, bounded(owner, n)) {
		change(&wanted)
	}
	before := h.stats()
	_, isNew, err := h.store.Create(h.ctx(), wanted)
	require.ErrorIs(h, err, store.ErrOwnerFull)
	assert.NotErrorIs(h, err, store.ErrFull)
	assert.False(h, isNew)
	assert.Equal(h, before, h.stats(), "nothing was stored")
}

func ownerBoundCounts(h *harness) {
	h.create(bounded("alice", 2))
	h.create(bounded("alice", 2), delayed(time.Hour))
	h.ownerIsFull("alice", 2)
	h.ownerIsFull("alice", 2, delayed(time.Hour))
	h.create(bounded("bob", 1))
	h.ownerIsFull("bob", 1)
	h.create(bounded("alice", 3))
	h.ownerIsFull("alice", 1)
	h.create(func(j *store.NewJob) { j.Owner = "alice" }) // without a bound
}

func noOwnerNoBound(h *harness) {
	for range 3 {
		h.create(bounded("", 1))
	}
	assert.Equal(h, 3, h.stats().Queued)
}

func ownerBoundAndKey(h *harness) {
	created := h.create(bounded("alice", 1), withKey("k", "f"))
	again := keyed("k", "f")
	bounded("alice", 1)(&again)
	held, isNew, err := h.store.Create(h.ctx(), again)
	require.NoError(h, err)
	assert.False(h, isNew)
	assert.Equal(h, created.ID, held.ID)
	again.Fingerprint = "g"
	_, _, err = h.store.Create(h.ctx(), again)
	require.ErrorIs(h, err, store.ErrKeyReused)

	h.ownerIsFull("alice", 1, withKey("other", "f"))
	h.cancel(created.ID)
	h.create(bounded("alice", 1), withKey("other", "g"))
}

func ownerBoundComesFirst(h *harness) {
	h.create(bounded("alice", 1))
	h.ownerIsFull("alice", 1, func(j *store.NewJob) { j.MaxWaiting = 1 })
}

func ownerPlaceIsFreed(h *harness) {
	one := bounded("alice", 1)
	h.cancel(h.create(one).ID)
	h.cancel(h.create(one, delayed(time.Hour)).ID)
	_, claim := h.started(one)
	h.create(one) // a job in progress does not wait
	h.cancel(claim.Job.ID)
	h.ownerIsFull("alice", 1)
}

func ownerPlaceIsTakenAgain(h *harness) {
	for name, wait := range map[string]func(session store.Session, ref store.Ref) error{
		"released": func(session store.Session, ref store.Ref) error {
			return session.Release(h.ctx(), ref, 0)
		},
		"released for later": func(session store.Session, ref store.Ref) error {
			return session.Release(h.ctx(), ref, time.Hour)
		},
		"left behind": func(session store.Session, _ store.Ref) error {
			return session.Leave(h.ctx())
		},
		"scheduled for another attempt": func(session store.Session, ref store.Ref) error {
			_, err := session.Settle(h.ctx(), ref, store.RetryAfter(time.Hour, problem()))
			return err
		},
		"tried again": func(session store.Session, ref store.Ref) error {
			h.settle(session, ref, failed())
			_, err := h.store.Retry(h.ctx(), ref.ID, 1)
			return err
		},
	} {
		session, claim := h.started(bounded(name, 1))
		require.NoError(h, wait(session, claim.Ref), name)
		h.ownerIsFull(name, 1)
		h.cancel(claim.Job.ID)
		h.cancel(h.create(bounded(name, 1)).ID)
	}

	h.create(bounded("bereaved", 1))
	_, claims := h.dead(1)
	h.create(bounded("bereaved", 1))
	require.Equal(h, 1, h.reclaim(1))
	h.ownerIsFull("bereaved", 2)
	h.cancel(claims[0].Job.ID)
	h.ownerIsFull("bereaved", 1)
	h.create(bounded("bereaved", 2))
}

func ownerPlaceOfRefused(h *harness) {
	first := h.create()
	full := job()
	bounded("bob", 1)(&full)
	full.MaxWaiting = 1
	_, _, err := h.store.Create(h.ctx(), full)
	require.ErrorIs(h, err, store.ErrFull)
	h.cancel(first.ID)
	h.create(bounded("bob", 1))
}

func ownerPlacesAfterAll(h *harness) {
	const places = 3
	session := h.join(longLease)
	for range 2 {
		for range places {
			h.create(bounded("alice", places))
		}
		h.ownerIsFull("alice", places)
		claims := h.claim(session, places).Claims
		require.Len(h, claims, places)
		h.settle(session, claims[0].Ref, completed())
		h.settle(session, claims[1].Ref, failed())
		h.settle(session, claims[2].Ref, store.Cancel())
		for _, c := range claims {
			require.NoError(h, h.store.Delete(h.ctx(), c.Job.ID))
		}
	}
}

func createsFillTheOwnersBound(h *harness) {
	const bound, creators, each = 20, 6, 8
	accepted := gather(h, creators, func(i int) (int, error) {
		n := 0
		for k := range each {
			wanted := job()
			bounded("alice", bound)(&wanted)
			if i%2 == k%2 {
				wanted.Delay = time.Hour
			}
			_, _, err := h.store.Create(h.ctx(), wanted)
			switch {
			case err == nil:
				n++
			case !errors.Is(err, store.ErrOwnerFull):
				return n, err
			}
		}
		return n, nil
	})
	total := 0
	for _, n := range accepted {
		total += n
	}
	assert.Equal(h, bound, total)
	stats := h.stats()
	assert.Equal(h, bound, stats.Queued+stats.Scheduled)
}
