package redisstore

import (
	"context"

	"github.com/asyncendpoints/gin-async/store"
)

// Get implements store.Jobs.
func (s *Store) Get(ctx context.Context, id string) (store.Job, error) {
	p := s.of(id)
	if p == nil {
		return store.Job{}, s.notFound()
	}
	values, err := await(ctx, s, func(ctx context.Context) ([]any, error) {
		return s.client.HMGet(ctx, p.record(id), fields()...).Result()
	})
	if err != nil {
		return store.Job{}, err
	}
	return s.existing(id, values)
}

// Result implements store.Jobs.
func (s *Store) Result(ctx context.Context, id string) (store.Job, []byte, error) {
	p := s.of(id)
	if p == nil {
		return store.Job{}, nil, s.notFound()
	}
	reply, err := p.run(ctx, s.scripts.result, []string{p.record(id)})
	if err != nil {
		return store.Job{}, nil, err
	}
	values, ok := reply.([]any)
	if !ok || len(values) != fieldCount+1 {
		return store.Job{}, nil, errReply("result", reply)
	}
	job, err := s.existing(id, values[:fieldCount])
	if err != nil {
		return store.Job{}, nil, err
	}
	if data, ok := values[fieldCount].(string); ok {
		return job, []byte(data), nil
	}
	return job, nil, nil
}

// existing reads a job that has to be there.
func (s *Store) existing(id string, values []any) (store.Job, error) {
	job, found, err := record(values).job(id)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Job{}, err
	}
	return job, nil
}

// notFound answers for an id that no partition can have.
func (s *Store) notFound() error {
	if s.err != nil {
		return s.err
	}
	return store.ErrNotFound
}

// Delete implements store.Jobs.
func (s *Store) Delete(ctx context.Context, id string) error {
	p := s.of(id)
	if p == nil {
		return s.notFound()
	}
	reply, err := p.run(ctx, s.scripts.remove, []string{p.record(id)}, p.newID())
	switch {
	case err != nil:
		return err
	case reply == int64(1):
		return nil
	case reply == int64(0):
		return store.ErrNotFound
	}
	return store.ErrNotFinished
}

// Stats implements store.Jobs. The partitions are counted one after the other; while the
// server of one of them is away there is an error and no counts.
func (s *Store) Stats(ctx context.Context) (store.Stats, error) {
	if s.err != nil {
		return store.Stats{}, s.err
	}
	var stats store.Stats
	partitions := s.all()
	for i := range partitions {
		reply, err := partitions[i].run(ctx, s.scripts.stats, nil)
		if err != nil {
			return store.Stats{}, err
		}
		counts, ok := reply.([]any)
		if !ok || len(counts) != 5 {
			return store.Stats{}, errReply("stats", reply)
		}
		number := func(i int) int { n, _ := counts[i].(int64); return int(n) }
		stats.Queued += number(0)
		stats.Scheduled += number(1)
		stats.InProgress += number(2)
		stats.Finished += number(3)
		// A process has a session in each partition.
		stats.Sessions = max(stats.Sessions, number(4))
	}
	return stats, nil
}
