package redisstore_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

func TestAdvice(t *testing.T) {
	for name, c := range map[string]struct {
		config []string
		want   []string
	}{
		"nothing is said of a server that keeps what it has": {[]string{"appendonly yes"}, nil},
		"snapshots are persistence too":                      {[]string{"save 60 1"}, nil},
		"a server without persistence": {nil, []string{
			"Redis forgets all jobs when it restarts: persistence is off, set appendonly to yes",
		}},
		"a server that drops data when its memory is full": {[]string{"appendonly yes", "maxmemory-policy allkeys-lru"}, []string{
			"Redis may drop jobs when its memory is full: maxmemory-policy is allkeys-lru, set it to noeviction",
		}},
		"nothing is said where CONFIG is not allowed": {[]string{"maxmemory-policy allkeys-lru", `rename-command CONFIG ""`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redisstore.New(redistest.Start(t, c.config...).Client(t))
			assert.Equal(t, c.want, s.Advice(t.Context()))
		})
	}
}

func TestReplicas(t *testing.T) {
	master := redistest.Start(t)
	client := master.Client(t)
	waiting := func(t *testing.T) *redisstore.Store {
		t.Helper()
		return redisstore.New(client, redisstore.WithPrefix(prefix(t)), redisstore.WithReplicas(1, 100*time.Millisecond))
	}
	job := store.NewJob{Route: "r", Queue: "default", Owner: "alice", MaxAttempts: 1, Retention: time.Hour, Key: "key"}

	t.Run("without a replica a job is taken back", func(t *testing.T) {
		s := waiting(t)
		for _, delay := range []time.Duration{0, time.Hour} {
			job := job
			job.Delay = delay
			got, created, err := s.Create(t.Context(), job)
			require.ErrorIs(t, err, redisstore.ErrNotReplicated)
			assert.ErrorContains(t, err, "0 of 1")
			assert.ErrorContains(t, err, "was taken back")
			assert.Zero(t, got)
			assert.False(t, created)
		}
		stats, err := s.Stats(t.Context())
		require.NoError(t, err)
		assert.Zero(t, stats)
		page, err := s.List(t.Context(), store.Query{Owner: "alice"})
		require.NoError(t, err)
		assert.Empty(t, page.Jobs)
		assert.Empty(t, claim(t, join(t, s, time.Minute), 10))
	})
	t.Run("a job that a worker has claimed already is owned up to", func(t *testing.T) {
		s := waiting(t)
		session := join(t, s, time.Minute)
		claimed := make(chan store.Claim)
		go func() {
			<-session.Arrived()
			claimed <- claim(t, session, 1)[0]
		}()
		_, _, err := s.Create(t.Context(), job)
		require.ErrorIs(t, err, redisstore.ErrNotReplicated)
		assert.ErrorContains(t, err, (<-claimed).Job.ID+" is in use already and stays")
	})
	t.Run("with a replica the job is stored", func(t *testing.T) {
		host, port := split(t, master.Addr())
		replica := redistest.Start(t, "replicaof "+host+" "+port).Client(t)
		eventually(t, "the replica is there", func() bool {
			return client.Do(t.Context(), "WAIT", 1, 100).Val() == int64(1)
		})
		s := redisstore.New(client, redisstore.WithPrefix("replicated"), redisstore.WithReplicas(1, 2*time.Second))
		require.NoError(t, client.ScriptFlush(t.Context()).Err(), "the step has to be loaded")
		created, isNew, err := s.Create(t.Context(), job)
		require.NoError(t, err)
		assert.True(t, isNew)
		assert.Equal(t, int64(1), replica.Exists(t.Context(), "replicated:{a}:job:"+created.ID).Val())

		again, isNew, err := s.Create(t.Context(), job)
		require.NoError(t, err)
		assert.False(t, isNew)
		assert.Equal(t, created.ID, again.ID)
	})
}

func TestMistakesInOptionsAreReturnedByEverything(t *testing.T) {
	s := redisstore.New(nil,
		redisstore.WithPrefix("a{b"), redisstore.WithPartitions(33), redisstore.WithReplicas(0, time.Second))
	for _, part := range []string{"client is nil", `WithPrefix("a{b")`, "WithPartitions(33): give 1 to 32", "WithReplicas(0, 1s)"} {
		assert.ErrorContains(t, s.Err(), part)
	}
	ctx, id := t.Context(), store.NewID('a')
	_, _, err := s.Create(ctx, store.NewJob{})
	assert.Equal(t, s.Err(), err)
	for name, call := range map[string]func() error{
		"Get":     func() error { _, err := s.Get(ctx, id); return err },
		"Result":  func() error { _, _, err := s.Result(ctx, id); return err },
		"List":    func() error { _, err := s.List(ctx, store.Query{}); return err },
		"Cancel":  func() error { _, err := s.Cancel(ctx, id); return err },
		"Retry":   func() error { _, err := s.Retry(ctx, id, 1); return err },
		"Delete":  func() error { return s.Delete(ctx, id) },
		"Watch":   func() error { _, err := s.Watch(ctx, id); return err },
		"Stats":   func() error { _, err := s.Stats(ctx); return err },
		"Join":    func() error { _, err := s.Join(ctx, "worker", time.Minute); return err },
		"Reclaim": func() error { _, err := s.Reclaim(ctx, 1); return err },
	} {
		assert.Equal(t, s.Err(), call(), name)
	}
	assert.Empty(t, s.Advice(ctx))
	client := redis.NewClient(&redis.Options{})
	assert.NoError(t, redisstore.New(client).Err())
	assert.NoError(t, client.Close())
}
