package storetest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func keyCases() []testCase {
	return []testCase{
		{"the same key and fingerprint return the job as it is now", keyReturnsTheJob},
		{"the same key with another fingerprint stores nothing", keyOfAnotherRequest},
		{"a key that is held is looked at before the bound", keyBeforeBound},
		{"a full store leaves the key free", fullLeavesTheKey},
		{"the key is free when its job is deleted", keyFreedByDelete},
		{"the key is free when the retention of its job is over", keyFreedByExpiry},
		{"a key stays held when its job is finished or tried again", keyStaysHeld},
		{"jobs without a key are never taken for each other", noKey},
		{"concurrent creates with one key make one job", keyUnderConcurrency},
	}
}

func keyReturnsTheJob(h *harness) {
	created := h.create(withKey("k", "f"))
	h.claimOne(h.join(longLease))
	again, isNew, err := h.store.Create(h.ctx(), keyed("k", "f"))
	require.NoError(h, err)
	assert.False(h, isNew)
	assert.Equal(h, created.ID, again.ID)
	h.same(h.get(created.ID), again)
	assert.Equal(h, store.InProgress, again.State)
	assert.Equal(h, store.Stats{InProgress: 1, Sessions: 1}, h.stats())
}

func keyed(key, fingerprint string) store.NewJob {
	j := job()
	j.Key, j.Fingerprint = key, fingerprint
	return j
}

func keyOfAnotherRequest(h *harness) {
	created := h.create(withKey("k", "f"))
	_, isNew, err := h.store.Create(h.ctx(), keyed("k", "g"))
	require.ErrorIs(h, err, store.ErrKeyReused)
	assert.False(h, isNew)
	assert.Equal(h, 1, h.stats().Queued)
	h.same(created, h.get(created.ID))
	h.create(withKey("other", "f"))
}

func keyBeforeBound(h *harness) {
	created := h.create(withKey("k", "f"))
	full := keyed("k", "f")
	full.MaxWaiting = 1
	again, isNew, err := h.store.Create(h.ctx(), full)
	require.NoError(h, err)
	assert.False(h, isNew)
	assert.Equal(h, created.ID, again.ID)
	full.Fingerprint = "g"
	_, _, err = h.store.Create(h.ctx(), full)
	assert.ErrorIs(h, err, store.ErrKeyReused)
}

func fullLeavesTheKey(h *harness) {
	waiting := h.create()
	full := keyed("k", "f")
	full.MaxWaiting = 1
	_, _, err := h.store.Create(h.ctx(), full)
	require.ErrorIs(h, err, store.ErrFull)
	h.cancel(waiting.ID)
	h.create(withKey("k", "g"))
}

func keyFreedByDelete(h *harness) {
	first := h.create(withKey("k", "f"))
	h.cancel(first.ID)
	require.NoError(h, h.store.Delete(h.ctx(), first.ID))
	second := h.create(withKey("k", "g"))
	assert.NotEqual(h, first.ID, second.ID)
}

func keyFreedByExpiry(h *harness) {
	first := h.create(withKey("k", "f"), keptFor(20*time.Millisecond))
	h.cancel(first.ID)
	h.eventually("the key is free", func() bool {
		_, isNew, err := h.store.Create(h.ctx(), keyed("k", "f"))
		require.NoError(h, err)
		return isNew
	})
}

func keyStaysHeld(h *harness) {
	session, claim := h.started(withKey("k", "f"))
	held := func() {
		h.Helper()
		again, isNew, err := h.store.Create(h.ctx(), keyed("k", "f"))
		require.NoError(h, err)
		assert.False(h, isNew)
		assert.Equal(h, claim.Job.ID, again.ID)
	}
	h.settle(session, claim.Ref, failed())
	held()
	_, err := h.store.Retry(h.ctx(), claim.Job.ID, 1)
	require.NoError(h, err)
	held()
	h.settle(session, h.claimOne(session).Ref, completed())
	held()
}

func noKey(h *harness) {
	assert.NotEqual(h, h.create().ID, h.create().ID)
	_, isNew, err := h.store.Create(h.ctx(), keyed("", "g"))
	require.NoError(h, err)
	assert.True(h, isNew)
}

func keyUnderConcurrency(h *harness) {
	created := gather(h, 8, func(int) (string, error) {
		j, isNew, err := h.store.Create(h.ctx(), keyed("k", "f"))
		if !isNew {
			return "", err
		}
		return j.ID, err
	})
	assert.Len(h, notEmpty(created), 1)
	assert.Equal(h, 1, h.stats().Queued)
}
