package storetest

import (
	"bytes"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func memoryCases() []testCase {
	return []testCase{
		{"the caller of Create may reuse its slices", createCopies},
		{"the receiver of a claim may change its slices", claimCopies},
		{"the caller of Settle may reuse its slice", settleCopies},
		{"the receiver of a result may change its slice", resultCopies},
		{"any bytes come back as they were", anyBytes},
	}
}

func createCopies(h *harness) {
	request, envelope := []byte("request"), []byte("envelope")
	_, _, err := h.store.Create(h.ctx(), store.NewJob{
		Route: routeName, Queue: queueName, MaxAttempts: 1, Request: request, Envelope: envelope,
	})
	require.NoError(h, err)
	scribble(request)
	scribble(envelope)
	claim := h.claimOne(h.join(longLease))
	assert.Equal(h, "request", string(claim.Request))
	assert.Equal(h, "envelope", string(claim.Envelope))
}

func claimCopies(h *harness) {
	session, claim := h.started()
	require.NoError(h, session.Release(h.ctx(), claim.Ref, 0))
	claim.Request = append(claim.Request, "more"...)
	assert.Equal(h, "envelope", string(claim.Envelope), "the slices do not share memory")
	scribble(claim.Request[:cap(claim.Request)])
	scribble(claim.Envelope[:cap(claim.Envelope)])
	again := h.claimOne(session)
	assert.Equal(h, "request", string(again.Request))
	assert.Equal(h, "envelope", string(again.Envelope))
}

func settleCopies(h *harness) {
	for name, outcome := range map[string]func(store.Result) store.Outcome{
		"complete": store.Complete,
		"fail":     func(r store.Result) store.Outcome { return store.Fail(problem(), &r) },
	} {
		h.create()
		session := h.join(longLease)
		claim := h.claimOne(session)
		r := result("done")
		h.settle(session, claim.Ref, outcome(r))
		scribble(r.Data)
		_, data, err := h.store.Result(h.ctx(), claim.Job.ID)
		require.NoError(h, err)
		assert.Equal(h, "done", string(data), name)
	}
}

func resultCopies(h *harness) {
	session, claim := h.started()
	h.settle(session, claim.Ref, completed())
	for range 2 {
		_, data, err := h.store.Result(h.ctx(), claim.Job.ID)
		require.NoError(h, err)
		assert.Equal(h, "done", string(data))
		scribble(data)
	}
}

func anyBytes(h *harness) {
	all := make([]byte, 0, 70_000)
	for i := range cap(all) {
		all = append(all, byte(i*7))
	}
	session, claim := h.started(func(j *store.NewJob) { j.Request, j.Envelope = all, []byte("\x00\r\n\xff") })
	assert.True(h, bytes.Equal(all, claim.Request))
	assert.Equal(h, "\x00\r\n\xff", string(claim.Envelope))
	h.settle(session, claim.Ref, store.Complete(store.Result{Response: store.Response{Status: 200}, Data: all}))
	_, data, err := h.store.Result(h.ctx(), claim.Job.ID)
	require.NoError(h, err)
	assert.True(h, bytes.Equal(all, data))
}

func scribble(memory []byte) {
	for i := range memory {
		memory[i] = '#'
	}
}
