package redisstore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bsm/redislock"

	"github.com/asyncendpoints/gin-async/store"
)

// sessionChars is how much of an id names a session: 60 random bits.
const sessionChars = 12

// leavePerCall bounds how many jobs one call gives back.
const leavePerCall = 500

// seat is a session in one partition: one lock of redislock, the token of which fences
// all that the session writes there.
type seat struct {
	partition *partition
	name      string
	lock      *redislock.Lock
	token     string // what the lock's key has while the seat is held
	lease     time.Duration
	keys      seatKeys
	// calls numbers the calls, so that a repeated one can be told from another.
	calls       atomic.Int64
	settles     group[settlement, byte]
	completions group[completion, byte]

	mu      sync.Mutex
	renewed time.Time
	// claims are those the seat holds as far as is known here.
	claims map[store.Ref]heldClaim
}

// seatKeys are the keys that belong to a seat.
type seatKeys struct{ lock, held, stop, session string }

// join takes a seat in the partition.
func (p *partition) join(ctx context.Context, worker string, lease time.Duration) (*seat, error) {
	t := &seat{
		partition: p, lease: lease, renewed: time.Now(),
		name:   p.newID()[1 : 1+sessionChars],
		claims: make(map[store.Ref]heldClaim),
	}
	t.keys = seatKeys{p.lock(t.name), p.held(t.name), p.stop(t.name), p.session(t.name)}
	t.settles.send, t.settles.patience = t.sendSettles, longestCall
	t.completions.send, t.completions.patience = t.sendCompletions, longestCall
	var err error
	t.lock, err = await(ctx, p.store, func(ctx context.Context) (*redislock.Lock, error) {
		return p.store.locks.Obtain(ctx, t.keys.lock, lease, &redislock.Options{Metadata: worker})
	})
	if err != nil {
		p.noteHealth(err)
		return nil, err
	}
	t.token = t.lock.Token() + t.lock.Metadata()
	reply, err := p.run(ctx, p.store.scripts.join, []string{t.keys.lock, t.keys.session},
		t.token, t.name, worker)
	if err == nil && reply != int64(1) {
		err = store.ErrLeaseLost
	}
	return t, err
}

func (t *seat) steps() *scripts { return &t.partition.store.scripts }

// renew starts the lease anew.
func (t *seat) renew(ctx context.Context) (store.Renewal, error) {
	began := time.Now()
	s := t.partition.store
	_, err := await(ctx, s, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, t.lock.Refresh(ctx, t.lease, nil)
	})
	// A lock that ran out is taken back by the next step if it may be.
	if err != nil && !errors.Is(err, redislock.ErrNotObtained) {
		t.partition.noteHealth(err)
		return store.Renewal{}, err
	}
	reply, err := t.partition.run(ctx, s.scripts.renew, []string{t.keys.lock, t.keys.held, t.keys.stop},
		t.token, t.name, milliseconds(t.lease))
	if err != nil {
		return store.Renewal{}, err
	}
	lists, ok := reply.([]any)
	if !ok || len(lists) != 2 {
		return store.Renewal{}, lostOr("renew", reply)
	}
	var renewal store.Renewal
	if renewal.Held, err = readRefs(lists[0]); err != nil {
		return store.Renewal{}, err
	}
	if renewal.Stop, err = readRefs(lists[1]); err != nil {
		return store.Renewal{}, err
	}
	t.remember(began, renewal.Held)
	return renewal, nil
}

// leave gives back what the seat holds and the seat itself.
func (t *seat) leave(ctx context.Context) error {
	keys := []string{t.keys.lock, t.keys.held, t.keys.stop, t.keys.session}
	for retaken := false; ; {
		reply, err := t.partition.run(ctx, t.steps().leave, keys, t.token, t.name, leavePerCall)
		switch {
		case err != nil:
			return err
		case reply == int64(0):
			return t.unlock(ctx)
		case reply != "lost":
			continue
		case retaken:
			return nil
		}
		// A lease that only ran out is taken back, so that the jobs need not wait for
		// recovery.
		if _, err := t.renew(ctx); errors.Is(err, store.ErrLeaseLost) {
			return nil
		} else if err != nil {
			return err
		}
		retaken = true
	}
}

func (t *seat) unlock(ctx context.Context) error {
	_, err := await(ctx, t.partition.store, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, t.lock.Release(ctx)
	})
	if errors.Is(err, redislock.ErrLockNotHeld) {
		return nil
	}
	return err
}

// readRefs reads pairs of an id and the number of a claim.
func readRefs(reply any) ([]store.Ref, error) {
	pairs, ok := reply.([]any)
	if !ok || len(pairs)%2 != 0 {
		return nil, errReply("renew", reply)
	}
	refs := make([]store.Ref, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		id, isText := pairs[i].(string)
		claim, isNumber := pairs[i+1].(int64)
		if !isText || !isNumber {
			return nil, errReply("renew", reply)
		}
		refs = append(refs, store.Ref{ID: id, Claim: claim})
	}
	return refs, nil
}

// lostOr is ErrLeaseLost if that is what a step said.
func lostOr(step string, reply any) error {
	if reply == "lost" {
		return store.ErrLeaseLost
	}
	return errReply(step, reply)
}
