package storetest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

// transitionCases drives a job into every state and from there, with every call
// that could lead there, towards every state: it arrives exactly when the table
// allows the step, and is untouched otherwise.
func transitionCases() []testCase {
	var cases []testCase
	for _, from := range store.States() {
		for _, to := range store.States() {
			name := fmt.Sprintf("%s becomes %s", from, to)
			if !from.CanBecome(to) {
				name = fmt.Sprintf("%s does not become %s", from, to)
			}
			cases = append(cases, testCase{name, func(h *harness) { drive(h, from, to) }})
		}
	}
	return cases
}

// driven is a job on its way, with the session that claimed it last.
type driven struct {
	*harness
	session store.Session
	ref     store.Ref
}

func drive(h *harness, from, to store.State) {
	d := &driven{harness: h, session: h.join(longLease)}
	d.reach(from, to)
	before := h.get(d.ref.ID)
	require.Equal(h, from, before.State)

	d.push(to)
	got := h.get(d.ref.ID)
	if from.CanBecome(to) {
		assert.Equal(h, to, got.State)
		assert.Equal(h, before.Version+1, got.Version)
		return
	}
	h.same(before, got)
}

// reach creates a job and brings it to its first state.
func (d *driven) reach(from, to store.State) {
	switch from {
	case store.Queued:
		d.ref = store.Ref{ID: d.create().ID, Claim: 1}
	case store.Scheduled:
		d.reachScheduled(to)
	case store.InProgress:
		d.start()
	case store.Completed:
		d.start()
		d.settle(d.session, d.ref, completed())
	case store.Failed:
		d.start()
		d.settle(d.session, d.ref, failed())
	case store.Canceled:
		d.start()
		d.settle(d.session, d.ref, store.Cancel())
	}
}

func (d *driven) start() {
	d.create()
	d.ref = d.claimOne(d.session).Ref
}

// reachScheduled makes a job that is due when it is to be queued, which happens
// when a claim takes another job that stands before it.
func (d *driven) reachScheduled(to store.State) {
	if to != store.Queued {
		d.start()
		d.settle(d.session, d.ref, retried(time.Hour))
		return
	}
	d.create()
	d.ref = store.Ref{ID: d.create(delayed(30 * time.Millisecond)).ID, Claim: 1}
	d.pass(50 * time.Millisecond)
}

// push makes every call that could lead to the state. What they return is of no
// interest here.
func (d *driven) push(to store.State) {
	switch to {
	case store.Queued:
		_, _ = d.store.Retry(d.ctx(), d.ref.ID, 1)
		_ = d.session.Release(d.ctx(), d.ref, 0)
		if d.get(d.ref.ID).State == store.Scheduled {
			d.claim(d.session, 1)
		}
	case store.Scheduled:
		_ = d.session.Release(d.ctx(), d.ref, time.Hour)
		_, _ = d.session.Settle(d.ctx(), d.ref, retried(time.Hour))
	case store.InProgress:
		d.claim(d.session, 1)
	case store.Completed:
		_, _ = d.session.Settle(d.ctx(), d.ref, completed())
	case store.Failed:
		_, _ = d.session.Settle(d.ctx(), d.ref, failed())
	case store.Canceled:
		_, _ = d.session.Settle(d.ctx(), d.ref, store.Cancel())
		_, _ = d.store.Cancel(d.ctx(), d.ref.ID)
	}
}
