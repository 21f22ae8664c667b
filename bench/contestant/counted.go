package contestant

import (
	"context"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// countedRedis and countedMemory are the stores themselves, but for sessions that tell of
// each job that is over. They embed the concrete type, so that whatever else a store can
// do stays visible.
type countedRedis struct {
	*redisstore.Store
	kept func(n int)
}

func (s countedRedis) Join(ctx context.Context, worker string, lease time.Duration) (store.Session, error) {
	session, err := s.Store.Join(ctx, worker, lease)
	return countedSession{session, s.kept}, err
}

type countedMemory struct {
	*memstore.Store
	kept func(n int)
}

func (s countedMemory) Join(ctx context.Context, worker string, lease time.Duration) (store.Session, error) {
	session, err := s.Store.Join(ctx, worker, lease)
	return countedSession{session, s.kept}, err
}

type countedSession struct {
	store.Session
	kept func(n int)
}

func (s countedSession) Settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	state, err := s.Session.Settle(ctx, ref, outcome)
	if err == nil && state == store.Completed {
		s.kept(1)
	}
	return state, err
}

// ourStore makes the store of a kind, and closes what it needs.
func ourStore(setup Setup, work Work) (made store.Store, shut func() error) {
	if setup.Kind == GinAsyncMemory || setup.Kind == WorkerMemory {
		return countedMemory{memstore.New(), work.Kept}, func() error { return nil }
	}
	client := connect(setup, work)
	return countedRedis{redisstore.New(client), work.Kept}, client.Close
}

// await returns when the job is over.
func await(ctx context.Context, jobs store.Jobs, id string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes, err := jobs.Watch(ctx, id)
	if err != nil {
		return err
	}
	for {
		job, err := jobs.Get(ctx, id)
		if err != nil || job.State.Terminal() {
			return err
		}
		select {
		case <-changes:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
