package redisstore

import (
	"context"
	"errors"
	"math"

	"github.com/redis/go-redis/v9"

	"github.com/asyncendpoints/gin-async/store"
)

// Cancel implements store.Jobs.
func (s *Store) Cancel(ctx context.Context, id string) (store.Job, error) {
	p := s.of(id)
	if p == nil {
		return store.Job{}, s.notFound()
	}
	reply, err := p.ask(ctx, s.scripts.cancel, id)
	if err != nil {
		return store.Job{}, err
	}
	job, err := jobOf("cancel", id, reply)
	if err == nil && (job.State == store.Completed || job.State == store.Failed) {
		err = store.ErrFinished
	}
	return job, err
}

// Retry implements store.Jobs. Attempts below 1 mean one more, and more than 2³¹-1 as many.
func (s *Store) Retry(ctx context.Context, id string, attempts int) (store.Job, error) {
	p := s.of(id)
	if p == nil {
		return store.Job{}, s.notFound()
	}
	reply, err := p.ask(ctx, s.scripts.retry, id, min(max(attempts, 1), math.MaxInt32), p.newID())
	if err != nil {
		return store.Job{}, err
	}
	values, ok := reply.([]any)
	if !ok || len(values) != 1+viewSize {
		return store.Job{}, errReply("retry", reply)
	}
	job, err := jobOf("retry", id, values[1:])
	if err == nil && values[0] != int64(1) {
		err = store.ErrNotFailed
	}
	return job, err
}

// Delete implements store.Jobs.
func (s *Store) Delete(ctx context.Context, id string) error {
	p := s.of(id)
	if p == nil {
		return s.notFound()
	}
	reply, err := p.ask(ctx, s.scripts.remove, id, p.newID())
	switch {
	case err != nil:
		return err
	case reply == int64(1):
		return nil
	case reply == int64(2):
		return store.ErrNotFinished
	}
	return store.ErrNotFound
}

// ask runs a step about one job. Its answer "false" is nil, or ErrNotFound where a step
// has no other.
func (p *partition) ask(ctx context.Context, step *step, id string, args ...any) (any, error) {
	reply, err := p.run(ctx, step, []string{p.record(id)}, args...)
	if errors.Is(err, redis.Nil) {
		return nil, store.ErrNotFound
	}
	return reply, err
}
