package memstore

import (
	"context"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// Settle implements store.Session.
func (x *session) Settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	result := copyOf(outcome.Result())
	s := x.store
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if !x.live(now) {
		return "", store.ErrLeaseLost
	}
	s.expire(expirePerCall, now)
	r := x.holding(ref)
	if r == nil {
		return x.settled(ref)
	}
	if err := s.settle(r, outcome, result, now); err != nil {
		return "", err
	}
	r.settled = settlement{session: x.number, claim: ref.Claim, state: r.state}
	return r.state, nil
}

// settled answers a Settle whose reply was lost.
func (x *session) settled(ref store.Ref) (store.State, error) {
	r := x.store.jobs.get(ref.ID)
	if r == nil || r.settled.session != x.number || r.settled.claim != ref.Claim {
		return "", store.ErrLeaseLost
	}
	return r.settled.state, nil
}

// settle ends the attempt of a job in progress.
func (s *Store) settle(r *record, outcome store.Outcome, result store.Result, now moment) error {
	if r.canceling() {
		return s.move(r, destination{state: store.Canceled}, now)
	}
	to := destination{state: outcome.State(), result: result, due: now.add(bounded(outcome.Delay()))}
	if err := s.move(r, to, now); err != nil {
		return err
	}
	if to.state == store.Scheduled {
		r.ready = to.due.stamp
	}
	if to.state != store.Canceled {
		r.setProblem(outcome.Problem())
	}
	return nil
}

// copyOf copies a result: the caller may change its own. What was recorded is
// never nil, not even when it is empty.
func copyOf(result *store.Result) store.Result {
	if result == nil {
		return store.Result{}
	}
	return store.Result{
		Response: result.Response,
		Data:     append(make([]byte, 0, len(result.Data)), result.Data...),
	}
}

// Report implements store.Session.
func (x *session) Report(ctx context.Context, ref store.Ref, progress store.Progress) error {
	return x.change(ctx, ref, func(r *record, now moment) error {
		progress.UpdatedAt = now.stamp.time()
		r.progress = &progress
		x.store.changed(r)
		return nil
	})
}

// Release implements store.Session.
func (x *session) Release(ctx context.Context, ref store.Ref, delay time.Duration) error {
	return x.change(ctx, ref, func(r *record, now moment) error {
		return x.store.release(r, delay, now)
	})
}

// change calls apply with a job that the session holds under the claim.
func (x *session) change(ctx context.Context, ref store.Ref, apply func(*record, moment) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.store.mu.Lock()
	defer x.store.mu.Unlock()
	now := x.store.now()
	r := x.holding(ref)
	if r == nil || !x.live(now) {
		return store.ErrLeaseLost
	}
	return apply(r, now)
}

// release gives up an attempt as if it had not been made. A job that was asked
// to stop ends instead.
func (s *Store) release(r *record, delay time.Duration, now moment) error {
	to := destination{state: store.Queued, head: true}
	switch {
	case r.canceling():
		return s.move(r, destination{state: store.Canceled}, now)
	case delay > 0:
		to = destination{state: store.Scheduled, due: now.add(bounded(delay))}
	}
	if err := s.move(r, to, now); err != nil {
		return err
	}
	r.attempt--
	return nil
}
