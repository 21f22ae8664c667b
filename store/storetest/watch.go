package storetest

import (
	"context"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func watchCases() []testCase {
	return []testCase{
		{"a watch is told of every change of its job", watchIsTold},
		{"several watches of a job are all told", watchSeveral},
		{"a watch is not told of other jobs", watchOthers},
		{"an id that does not exist can be watched", watchUnknown},
		{"the end of one watch leaves the others", watchEnds},
	}
}

func (h *harness) watch(id string) <-chan struct{} {
	h.Helper()
	changes, err := h.store.Watch(h.Context(), id)
	require.NoError(h, err)
	return changes
}

func watchIsTold(h *harness) {
	session := h.join(longLease)
	created := h.create()
	changes := h.watch(created.ID)
	var claim store.Claim
	steps := []struct {
		name string
		do   func()
	}{
		{"claim", func() { claim = h.claimOne(session) }},
		{"report", func() { require.NoError(h, session.Report(h.ctx(), claim.Ref, store.Progress{Percent: 5})) }},
		{"release", func() { require.NoError(h, session.Release(h.ctx(), claim.Ref, 0)) }},
		{"second claim", func() { claim = h.claimOne(session) }},
		{"fail", func() { h.settle(session, claim.Ref, failed()) }},
		{"retry", func() {
			_, err := h.store.Retry(h.ctx(), created.ID, 1)
			require.NoError(h, err)
		}},
		{"third claim", func() { claim = h.claimOne(session) }},
		{"request to stop", func() { h.cancel(created.ID) }},
		{"end", func() { h.settle(session, claim.Ref, completed()) }},
	}
	for _, step := range steps {
		version := h.get(created.ID).Version
		drain(changes)
		step.do()
		h.receives(changes, step.name)
		assert.Greater(h, h.get(created.ID).Version, version, step.name)
	}
}

func watchSeveral(h *harness) {
	created := h.create()
	one, other := h.watch(created.ID), h.watch(created.ID)
	h.cancel(created.ID)
	h.receives(one, "the first watch")
	h.receives(other, "the second watch")
}

func watchOthers(h *harness) {
	quiet, noisy := h.create(), h.create()
	changes, witness := h.watch(quiet.ID), h.watch(noisy.ID)
	h.cancel(noisy.ID)
	h.receives(witness, "the watch of the changed job")
	assert.Empty(h, changes)
}

func watchUnknown(h *harness) {
	assert.Empty(h, h.watch(store.NewID('a')))
}

func watchEnds(h *harness) {
	created := h.create()
	ctx, end := context.WithCancel(h.Context())
	defer end()
	_, err := h.store.Watch(ctx, created.ID)
	require.NoError(h, err)
	lasting := h.watch(created.ID)
	end()
	h.cancel(created.ID)
	h.receives(lasting, "the watch that goes on")
}
