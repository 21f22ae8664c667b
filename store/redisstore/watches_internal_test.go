package redisstore

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
)

// A fail-over, or a long outage, may lose that a job is watched, and so messages.
func TestWhoWatchesLooksAgainWhenRedisHadForgottenIt(t *testing.T) {
	client := redistest.Start(t).Client(t)
	s := New(client)
	id := store.NewID('a')
	changes, err := s.Watch(t.Context(), id)
	require.NoError(t, err)

	assert.Equal(t, renewNotes, s.watches.renew(t.Context()))
	assert.Empty(t, changes, "nothing was lost")
	require.EqualValues(t, 1, client.Del(t.Context(), "ginasync:{a}:watched").Val())
	assert.Equal(t, renewNotes, s.watches.renew(t.Context()))
	assert.Len(t, changes, 1)
}

// A server of a Cluster that is away must not keep the watches elsewhere from being renewed,
// however many begin meanwhile.
func TestWatchesThatCannotBeNotedDoNotPostponeTheOthers(t *testing.T) {
	s := New(redistest.Start(t).Client(t))
	w := s.watches
	_, err := s.Watch(t.Context(), store.NewID('a'))
	require.NoError(t, err)
	late := store.NewID('a')
	w.mu.Lock()
	w.watched[late] = &watchedJob{partition: &s.partitions[0], watchers: 1}
	w.mu.Unlock()
	t.Cleanup(func() { w.drop(late) })
	assert.Eventually(t, func() bool {
		signal(w.changed) // another one that failed
		return !w.anyMissing()
	}, 5*retryNotes, retryNotes/10)
}

// gathering lets no script go before all of those that are missing are there.
type gathering struct {
	missing atomic.Int32
	all     chan struct{}
}

func (g *gathering) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != "evalsha" {
			return next(ctx, cmd)
		}
		if g.missing.Add(-1) == 0 {
			close(g.all)
		}
		select {
		case <-g.all:
			return next(ctx, cmd)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (g *gathering) DialHook(next redis.DialHook) redis.DialHook { return next }

func (g *gathering) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestWatchesOfAllServersAreRenewedAtTheSameTime(t *testing.T) {
	client := redistest.Start(t).Client(t)
	s := New(client, WithPartitions(4))
	for i := range s.own {
		_, err := s.Watch(t.Context(), store.NewID(letters[i]))
		require.NoError(t, err)
	}
	g := &gathering{all: make(chan struct{})}
	g.missing.Store(int32(s.own))
	client.AddHook(g)
	assert.Equal(t, renewNotes, s.watches.renew(t.Context()))
}
