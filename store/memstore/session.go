package memstore

import (
	"context"
	"slices"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

var _ store.Session = (*session)(nil)

// session is one worker process's lease. Its token is its identity: a record in
// progress points at the session that holds it. The store's lock guards it.
type session struct {
	store    *Store
	number   uint64
	worker   string
	lease    time.Duration
	deadline elapsed
	// over is set when the session has left or Reclaim began to take its jobs:
	// nothing brings it back.
	over               bool
	held               chain // oldest claim first
	arrived, stopAsked chan struct{}
}

// Join implements store.Workers.
func (s *Store) Join(ctx context.Context, worker string, lease time.Duration) (store.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	joined := &session{
		store: s, worker: worker, lease: bounded(lease),
		held:    chain{records: s.jobs},
		arrived: make(chan struct{}, 1), stopAsked: make(chan struct{}, 1),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastSession++
	joined.number = s.lastSession
	joined.deadline = s.now().add(joined.lease).elapsed
	s.sessions = append(s.sessions, joined)
	return joined, nil
}

// Renew implements store.Session.
func (x *session) Renew(ctx context.Context) (store.Renewal, error) {
	if err := ctx.Err(); err != nil {
		return store.Renewal{}, err
	}
	x.store.mu.Lock()
	defer x.store.mu.Unlock()
	if x.over {
		return store.Renewal{}, store.ErrLeaseLost
	}
	x.deadline = x.store.now().add(x.lease).elapsed
	var renewal store.Renewal
	for r := x.held.first(); r != nil; r = x.held.after(r) {
		ref := store.Ref{ID: r.id, Claim: r.claim}
		renewal.Held = append(renewal.Held, ref)
		if r.canceling() {
			renewal.Stop = append(renewal.Stop, ref)
		}
	}
	return renewal, nil
}

// Leave implements store.Session.
func (x *session) Leave(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := x.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.over {
		return nil
	}
	x.over = true
	now := s.now()
	// From the last claim to the first: each goes to the head of its queue, so they
	// end up there in the order they were claimed in.
	for r := x.held.last(); r != nil; r = x.held.last() {
		if err := s.release(r, 0, now); err != nil {
			return err
		}
	}
	s.dropSessions()
	return nil
}

// Arrived implements store.Session.
func (x *session) Arrived() <-chan struct{} { return x.arrived }

// StopAsked implements store.Session.
func (x *session) StopAsked() <-chan struct{} { return x.stopAsked }

// live reports whether the lease is running.
func (x *session) live(now moment) bool {
	return !x.over && now.elapsed < x.deadline
}

// holding returns the record that the session holds under the claim, or nil.
func (x *session) holding(ref store.Ref) *record {
	r := x.store.jobs.get(ref.ID)
	if r == nil || r.holder != x || r.claim != ref.Claim {
		return nil
	}
	return r
}

// dropSessions forgets the sessions that are over and hold nothing.
func (s *Store) dropSessions() {
	s.sessions = slices.DeleteFunc(s.sessions, func(x *session) bool {
		return x.over && x.held.len == 0
	})
}
