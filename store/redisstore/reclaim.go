package redisstore

import (
	"context"
	"errors"
	"time"

	"github.com/bsm/redislock"

	"github.com/asyncendpoints/gin-async/store"
)

const (
	// recoveryLease is how long a process that dies in the middle of recovery keeps
	// others from it.
	recoveryLease = 2 * time.Second
	// expirePerCall bounds how many jobs one call removes from the indexes.
	expirePerCall = 500
)

// Reclaim implements store.Workers. One process at a time does it for a partition,
// under a lock; a call that finds another process at work leaves it to that one. What
// it costs grows with the sessions that died, not with those that live.
func (s *Store) Reclaim(ctx context.Context, limit int) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	taken := 0
	var failed error
	partitions := s.all()
	for i := range partitions {
		n, err := partitions[i].reclaimInTurn(ctx, limit-taken)
		taken += n
		// A partition whose server is away does not keep the others from recovery.
		failed = errors.Join(failed, err)
	}
	if taken > 0 {
		return taken, nil
	}
	return 0, failed
}

// reclaimInTurn leaves time for the other partitions.
func (p *partition) reclaimInTurn(ctx context.Context, limit int) (int, error) {
	ctx, cancel := p.store.patience(ctx, turnPatience)
	defer cancel()
	return p.reclaim(ctx, limit)
}

func (p *partition) reclaim(ctx context.Context, limit int) (int, error) {
	due, err := p.needsRecovery(ctx)
	if err != nil || !due {
		return 0, err
	}
	lock, err := await(ctx, p.store, func(ctx context.Context) (*redislock.Lock, error) {
		return p.store.locks.Obtain(ctx, p.recovery(), recoveryLease, nil)
	})
	if errors.Is(err, redislock.ErrNotObtained) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer p.unlock(ctx, lock)
	problem, err := encodeProblem(store.WorkerLost())
	if err != nil {
		return 0, err
	}
	reply, err := p.run(ctx, p.store.scripts.reclaim, nil, p.newID(), max(limit, 0), problem)
	if err != nil {
		return 0, err
	}
	taken, _ := reply.(int64)
	return int(taken), p.expire(ctx)
}

// needsRecovery reports whether a lease seems to have run out, or a job to have outlived
// its retention. It lets idle processes ask with one cheap call.
func (p *partition) needsRecovery(ctx context.Context) (bool, error) {
	reply, err := p.run(ctx, p.store.scripts.overdue, nil)
	return reply == int64(1), err
}

// expire removes from the indexes all that has outlived its retention.
func (p *partition) expire(ctx context.Context) error {
	for n := int64(expirePerCall); n >= expirePerCall; {
		reply, err := p.run(ctx, p.store.scripts.expire, nil, expirePerCall)
		if err != nil {
			return err
		}
		n, _ = reply.(int64)
	}
	return nil
}

// unlock gives the lock of recovery back; if that fails it runs out by itself.
func (p *partition) unlock(ctx context.Context, lock *redislock.Lock) {
	ctx = context.WithoutCancel(ctx)
	_, _ = await(ctx, p.store, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, lock.Release(ctx)
	})
}
