package memstore

import (
	"context"
	"math"

	"github.com/asyncendpoints/gin-async/store"
)

// Cancel implements store.Jobs.
func (s *Store) Cancel(ctx context.Context, id string) (store.Job, error) {
	if err := ctx.Err(); err != nil {
		return store.Job{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	r := s.find(id, now)
	if r == nil {
		return store.Job{}, store.ErrNotFound
	}
	var err error
	switch r.state {
	case store.Queued, store.Scheduled:
		err = s.move(r, destination{state: store.Canceled}, now)
	case store.InProgress:
		if !r.canceling() {
			r.cancelRequested = now.stamp
			s.changed(r)
			signal(r.holder.stopAsked)
		}
	case store.Completed, store.Failed:
		err = store.ErrFinished
	case store.Canceled:
	}
	return r.view(), err
}

// Retry implements store.Jobs. Attempts below 1 mean one more, and more than 2³¹-1 as many.
func (s *Store) Retry(ctx context.Context, id string, attempts int) (store.Job, error) {
	if err := ctx.Err(); err != nil {
		return store.Job{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	r := s.find(id, now)
	if r == nil {
		return store.Job{}, store.ErrNotFound
	}
	if r.state != store.Failed {
		return r.view(), store.ErrNotFailed
	}
	if err := s.move(r, destination{state: store.Queued}, now); err != nil {
		return r.view(), err
	}
	r.maxAttempts = r.attempt + min(max(attempts, 1), math.MaxInt32)
	r.ready = now.stamp
	r.problem, r.progress = nil, nil
	return r.view(), nil
}

// Delete implements store.Jobs.
func (s *Store) Delete(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(id, s.now())
	if r == nil {
		return store.ErrNotFound
	}
	if !r.state.Terminal() {
		return store.ErrNotFinished
	}
	s.remove(r)
	return nil
}
