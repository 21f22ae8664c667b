package redisstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/asyncendpoints/gin-async/store"
)

// ErrNotReplicated is wrapped by Create when fewer replicas than WithReplicas asks for
// have the job in time, or none can be asked. The text says what became of the job: it
// was taken back, or it stays, because a worker has claimed it, somebody else got it by
// its idempotency key, or the server did not answer; then it may run.
var ErrNotReplicated = errors.New("redisstore: too few replicas have the job")

// runCreate runs the step that stores jobs and, if asked to, waits for the replicas.
// With ErrNotReplicated there is a reply.
func (p *partition) runCreate(ctx context.Context, keys []string, args []any) (any, error) {
	s := p.store
	if s.replicas == 0 {
		return p.run(ctx, s.scripts.create, keys, args...)
	}
	keys = append([]string{p.key}, keys...)
	var have int64
	reply, err := awaitFor(ctx, s, longestCall+s.replicaTimeout, func(ctx context.Context) (reply any, err error) {
		server, err := s.serverOf(ctx, p.key)
		if err != nil {
			return nil, err
		}
		reply, have, err = s.createAndWait(ctx, server, keys, args)
		return reply, err
	})
	if err != nil {
		return nil, err
	}
	if have < int64(s.replicas) {
		return reply, fmt.Errorf("%w: %d of %d", ErrNotReplicated, have, s.replicas)
	}
	return reply, nil
}

// serverOf returns the server that has a key: WAIT belongs to the connection that
// wrote, so the two have to go the same way.
func (s *Store) serverOf(ctx context.Context, key string) (redis.UniversalClient, error) {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return s.client, nil
	}
	master, err := cluster.MasterForKey(ctx, key)
	if err != nil {
		return nil, err
	}
	return master, nil
}

// createAndWait sends both commands in one pipeline, which is one connection. When the
// jobs were stored it returns no error: a WAIT that fails has counted no replica.
func (s *Store) createAndWait(ctx context.Context, server redis.UniversalClient, keys []string, args []any) (any, int64, error) {
	for loaded := false; ; loaded = true {
		pipe := server.Pipeline()
		stored := s.scripts.create.EvalSha(ctx, pipe, keys, args...)
		replicas := pipe.Do(ctx, "WAIT", s.replicas, s.replicaTimeout.Milliseconds())
		_, err := pipe.Exec(ctx)
		if redis.HasErrorPrefix(stored.Err(), "NOSCRIPT") && !loaded {
			if err = s.scripts.create.Load(ctx, server).Err(); err == nil {
				continue
			}
		}
		if err != nil && s.cluster != nil {
			s.cluster.ReloadState(context.WithoutCancel(ctx)) // it may have moved
		}
		have, _ := replicas.Val().(int64)
		return stored.Val(), have, stored.Err()
	}
}

// withdraw takes back the jobs that were stored, and says of each what became of it.
func (p *partition) withdraw(ctx context.Context, stored []created, cause error) {
	for i := range stored {
		result := &stored[i]
		if result.err != nil {
			continue
		}
		result.err = p.withdrawOne(ctx, result, cause)
		result.job, result.isNew = store.Job{}, false
	}
}

func (p *partition) withdrawOne(ctx context.Context, stored *created, cause error) error {
	id := stored.job.ID
	if !stored.isNew {
		return fmt.Errorf("%w; job %s was stored before and stays", cause, id)
	}
	reply, err := p.run(ctx, p.store.scripts.withdraw, []string{p.record(id)})
	switch {
	case err != nil:
		return fmt.Errorf("%w; job %s could not be taken back and may run: %w", cause, id, err)
	case reply == int64(1):
		return fmt.Errorf("%w; job %s was taken back", cause, id)
	}
	return fmt.Errorf("%w; job %s is in use already and stays", cause, id)
}
