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
	reply, err := p.ask(ctx, s.scripts.get, id)
	if err != nil {
		return store.Job{}, err
	}
	return jobOf("get", id, reply)
}

// Result implements store.Jobs.
func (s *Store) Result(ctx context.Context, id string) (store.Job, []byte, error) {
	p := s.of(id)
	if p == nil {
		return store.Job{}, nil, s.notFound()
	}
	reply, err := p.ask(ctx, s.scripts.result, id)
	if err != nil {
		return store.Job{}, nil, err
	}
	values, _ := reply.([]any)
	v, ok := viewOf(values)
	if !ok || len(values) != viewSize+1 {
		return store.Job{}, nil, errReply("result", reply)
	}
	job, responded, err := v.job(id)
	if err != nil || !responded {
		return job, nil, err
	}
	data, _ := values[viewSize].(string)
	return job, []byte(data), nil
}

// notFound answers for an id that no partition can have.
func (s *Store) notFound() error {
	if s.err != nil {
		return s.err
	}
	return store.ErrNotFound
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
