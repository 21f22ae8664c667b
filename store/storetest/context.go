package storetest

import (
	"context"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func contextCases() []testCase {
	return []testCase{
		{"a call whose context is over returns its error and changes nothing", contextOver},
	}
}

func contextOver(h *harness) {
	session, claim := h.started()
	waiting := h.create()
	ctx, cancel := context.WithCancel(h.Context())
	cancel()
	id := claim.Job.ID
	for name, call := range map[string]func() error{
		"Create":  func() error { _, _, err := h.store.Create(ctx, job()); return err },
		"Get":     func() error { _, err := h.store.Get(ctx, id); return err },
		"Result":  func() error { _, _, err := h.store.Result(ctx, id); return err },
		"List":    func() error { _, err := h.store.List(ctx, store.Query{}); return err },
		"Cancel":  func() error { _, err := h.store.Cancel(ctx, id); return err },
		"Retry":   func() error { _, err := h.store.Retry(ctx, id, 1); return err },
		"Delete":  func() error { return h.store.Delete(ctx, id) },
		"Watch":   func() error { _, err := h.store.Watch(ctx, id); return err },
		"Stats":   func() error { _, err := h.store.Stats(ctx); return err },
		"Join":    func() error { _, err := h.store.Join(ctx, "worker", longLease); return err },
		"Reclaim": func() error { _, err := h.store.Reclaim(ctx, 1); return err },
		"Claim": func() error {
			_, err := session.Claim(ctx, []store.Want{{Queue: queueName, Max: 1}})
			return err
		},
		"Settle":  func() error { _, err := session.Settle(ctx, claim.Ref, completed()); return err },
		"Report":  func() error { return session.Report(ctx, claim.Ref, store.Progress{Percent: 1}) },
		"Release": func() error { return session.Release(ctx, claim.Ref, 0) },
		"Renew":   func() error { _, err := session.Renew(ctx); return err },
		"Leave":   func() error { return session.Leave(ctx) },
	} {
		require.ErrorIs(h, call(), context.Canceled, name)
	}
	h.same(claim.Job, h.get(id))
	h.same(waiting, h.get(waiting.ID))
	assert.Equal(h, store.Stats{Queued: 1, InProgress: 1, Sessions: 1}, h.stats())
}
