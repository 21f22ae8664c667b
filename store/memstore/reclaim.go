package memstore

import (
	"context"

	"github.com/asyncendpoints/gin-async/store"
)

// Reclaim implements store.Workers. A limit below 1 takes no job.
func (s *Store) Reclaim(ctx context.Context, limit int) (int, error) {
	if err := s.removeExpired(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	taken := 0
	for _, x := range s.sessions {
		if x.live(now) {
			continue
		}
		n, err := s.reclaimFrom(x, limit-taken, now)
		taken += n
		if err != nil {
			return taken, err
		}
	}
	s.dropSessions()
	return taken, nil
}

// reclaimFrom takes up to limit jobs from a session whose lease ran out, from the last
// claim to the first, so that they stand at the head of their queues in the order
// they were claimed in, over several calls too.
func (s *Store) reclaimFrom(x *session, limit int, now moment) (taken int, err error) {
	if x.held.len > 0 && limit < 1 {
		return 0, nil
	}
	x.over = true
	for r := x.held.last(); r != nil && taken < limit; r = x.held.last() {
		if err := s.reclaimJob(r, now); err != nil {
			return taken, err
		}
		taken++
	}
	return taken, nil
}

// reclaimJob ends the attempt of a worker that is gone.
func (s *Store) reclaimJob(r *record, now moment) error {
	switch {
	case r.canceling():
		return s.move(r, destination{state: store.Canceled}, now)
	case r.attempt < r.maxAttempts:
		return s.move(r, destination{state: store.Queued, head: true}, now)
	}
	if err := s.move(r, destination{state: store.Failed}, now); err != nil {
		return err
	}
	r.setProblem(store.WorkerLost())
	return nil
}
