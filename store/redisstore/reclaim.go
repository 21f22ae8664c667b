package redisstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"

	"github.com/asyncendpoints/gin-async/store"
)

const (
	// recoveryLease is how long a process that dies in the middle of recovery keeps
	// others from it.
	recoveryLease = 2 * time.Second
	// expirePerCall bounds how many jobs one call removes from the indexes.
	expirePerCall = 500
)

// recovery is what one call of Reclaim does.
type recovery struct {
	mu          sync.Mutex // one partition at a time takes of the limit
	left, taken int
}

// Reclaim implements store.Workers. One process at a time does it for a partition,
// under a lock; a call that finds another process at work leaves it to that one. What
// it costs grows with the sessions that died, not with those that live. A partition
// whose server is away does not keep the others from recovery.
func (s *Store) Reclaim(ctx context.Context, limit int) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	r := &recovery{left: max(limit, 0)}
	partitions := s.all()
	errs := each(len(partitions), func(i int) error { return r.recover(ctx, &partitions[i]) })
	if r.taken > 0 {
		return r.taken, nil
	}
	return 0, errors.Join(errs...)
}

// recover looks after one partition.
func (r *recovery) recover(ctx context.Context, p *partition) error {
	due := false
	err := p.inTime(ctx, turnPatience, func(ctx context.Context) (err error) {
		due, err = p.needsRecovery(ctx)
		return err
	})
	if err != nil || !due {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return p.inTime(ctx, turnPatience, func(ctx context.Context) error {
		n, err := p.reclaim(ctx, r.left)
		r.left -= n
		r.taken += n
		return err
	})
}

// reclaim takes up to limit jobs, unless another process does it now.
func (p *partition) reclaim(ctx context.Context, limit int) (int, error) {
	lock, err := await(ctx, p.store, func(ctx context.Context) (*redislock.Lock, error) {
		return p.store.locks.Obtain(ctx, p.recovery(), recoveryLease, nil)
	})
	switch {
	case errors.Is(err, redislock.ErrNotObtained):
		return 0, nil
	case redis.HasErrorPrefix(err, "OOM"):
		// A full server refuses the lock, but not the step that takes jobs. The lock only
		// saves that several processes take the same steps.
	case err != nil:
		p.noteHealth(err)
		return 0, err
	default:
		defer p.unlock(ctx, lock)
	}
	summary, err := appendSummary(nil, nil, store.WorkerLost())
	if err != nil {
		return 0, err
	}
	reply, err := p.run(ctx, p.store.scripts.reclaim, nil, p.newID(), limit, summary)
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

// expire removes from the indexes all that has outlived its retention. What there is no
// time for is left to the next call.
func (p *partition) expire(ctx context.Context) error {
	for removed, n := int64(0), int64(expirePerCall); n >= expirePerCall; removed += n {
		reply, err := p.run(ctx, p.store.scripts.expire, nil, expirePerCall)
		if err != nil {
			if removed > 0 && timedOut(err) {
				return nil
			}
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
