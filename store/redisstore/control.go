package redisstore

import (
	"context"

	"github.com/asyncendpoints/gin-async/store"
)

// Cancel implements store.Jobs.
func (s *Store) Cancel(ctx context.Context, id string) (store.Job, error) {
	p := s.of(id)
	if p == nil {
		return store.Job{}, s.notFound()
	}
	reply, err := p.run(ctx, s.scripts.cancel, []string{p.record(id)})
	if err != nil {
		return store.Job{}, err
	}
	values, _ := reply.([]any)
	job, err := s.existing(id, values)
	if err == nil && (job.State == store.Completed || job.State == store.Failed) {
		err = store.ErrFinished
	}
	return job, err
}

// Retry implements store.Jobs. Attempts below 1 mean one more.
func (s *Store) Retry(ctx context.Context, id string, attempts int) (store.Job, error) {
	p := s.of(id)
	if p == nil {
		return store.Job{}, s.notFound()
	}
	reply, err := p.run(ctx, s.scripts.retry, []string{p.record(id)}, max(attempts, 1), p.newID())
	if err != nil {
		return store.Job{}, err
	}
	values, ok := reply.([]any)
	if !ok || len(values) != fieldCount+1 {
		return store.Job{}, errReply("retry", reply)
	}
	job, err := s.existing(id, values[1:])
	if err == nil && values[0] != int64(1) {
		err = store.ErrNotFailed
	}
	return job, err
}
