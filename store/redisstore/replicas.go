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

// sendReplicated runs the command that stores jobs and, if asked to, waits for the
// replicas. With ErrNotReplicated there is a reply.
func (p *partition) sendReplicated(ctx context.Context, c command) (any, error) {
	s := p.store
	if s.replicas == 0 {
		return p.send(ctx, c)
	}
	var have int64
	reply, err := awaitFor(ctx, s, longestCall+s.replicaTimeout, func(ctx context.Context) (reply any, err error) {
		server, err := s.serverOf(ctx, p.key)
		if err != nil {
			return nil, err
		}
		reply, have, err = s.createAndWait(ctx, server, c)
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
func (s *Store) createAndWait(ctx context.Context, server redis.UniversalClient, c command) (any, int64, error) {
	args := c.args
	for {
		pipe := server.Pipeline()
		stored := pipe.Do(ctx, args...)
		stored.SetFirstKeyPos(firstKey)
		replicas := pipe.Do(ctx, "WAIT", s.replicas, s.replicaTimeout.Milliseconds())
		_, err := pipe.Exec(ctx)
		if redis.HasErrorPrefix(stored.Err(), "NOSCRIPT") {
			args = c.whole()
			continue
		}
		if err != nil && s.cluster != nil {
			s.cluster.ReloadState(context.WithoutCancel(ctx)) // it may have moved
		}
		have, _ := replicas.Val().(int64)
		return stored.Val(), have, stored.Err()
	}
}

// withdraw takes back the jobs that were stored, and says of each what became of it.
func (p *partition) withdraw(ctx context.Context, stored []*member[creation, created], cause error) {
	for _, m := range stored {
		result := &m.out
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
