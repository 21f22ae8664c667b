package redisstore_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

const patience = 10 * time.Second

func TestHints(t *testing.T) {
	server := redistest.Start(t)
	for name, test := range map[string]func(t *testing.T, client *redis.Client, s *redisstore.Store){
		"a lost connection wakes whoever may have missed something": func(t *testing.T, client *redis.Client, s *redisstore.Store) {
			session := join(t, s, time.Minute)
			created := create(t, s)
			changes, err := s.Watch(t.Context(), created.ID)
			require.NoError(t, err)
			drop(session.Arrived())
			require.NoError(t, client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err())
			receive(t, changes, "the watch")
			receive(t, session.Arrived(), "the session, for jobs")
			receive(t, session.StopAsked(), "the session, for requests to stop")
		},
		"the connection closes with the last who listens": func(t *testing.T, client *redis.Client, s *redisstore.Store) {
			session := join(t, s, time.Minute)
			ctx, cancel := context.WithCancel(t.Context())
			_, err := s.Watch(ctx, create(t, s).ID)
			require.NoError(t, err)
			assert.Equal(t, 3, subscriptions(t, client))
			require.NoError(t, session.Leave(t.Context()))
			eventually(t, "only the watch is left", func() bool { return subscriptions(t, client) == 1 })
			cancel()
			eventually(t, "nobody listens", func() bool { return subscriptions(t, client) == 0 })
		},
		"a session that is given up stops listening": func(t *testing.T, client *redis.Client, s *redisstore.Store) {
			join(t, s, 100*time.Millisecond)
			eventually(t, "nobody listens", func() bool { return subscriptions(t, client) == 0 })
		},
		"a session that comes back listens again": func(t *testing.T, client *redis.Client, s *redisstore.Store) {
			session := join(t, s, 100*time.Millisecond)
			eventually(t, "nobody listens", func() bool { return subscriptions(t, client) == 0 })
			_, err := session.Renew(t.Context())
			require.NoError(t, err)
			drop(session.Arrived())
			create(t, s)
			receive(t, session.Arrived(), "a job came")
		},
		"a session that was taken by recovery stops listening": func(t *testing.T, client *redis.Client, s *redisstore.Store) {
			session := join(t, s, 50*time.Millisecond)
			eventually(t, "recovery has taken the session", func() bool {
				_, err := s.Reclaim(t.Context(), 1)
				require.NoError(t, err)
				_, err = session.Claim(t.Context(), nil)
				return errors.Is(err, store.ErrLeaseLost)
			})
			_, err := s.Reclaim(t.Context(), 1)
			require.NoError(t, err)
			_, err = session.Renew(t.Context())
			require.ErrorIs(t, err, store.ErrLeaseLost)
			eventually(t, "nobody listens", func() bool { return subscriptions(t, client) == 0 })
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := server.Client(t)
			require.NoError(t, client.FlushAll(t.Context()).Err())
			test(t, client, redisstore.New(client))
		})
	}
}

// A client of a user that leaves ContextTimeoutEnabled off waits for its own timeouts.
func TestCallsEndWithTheirContextWhateverTheClientDoes(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	client := redis.NewClient(&redis.Options{
		Addr: listener.Addr().String(), ReadTimeout: time.Second, DialTimeout: time.Second, MaxRetries: -1,
	})
	t.Cleanup(func() {
		assert.NoError(t, client.Close())
		assert.NoError(t, listener.Close())
	})
	s := redisstore.New(client)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err = s.Get(ctx, store.NewID('a'))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(began), 800*time.Millisecond)
}

func join(t *testing.T, s *redisstore.Store, lease time.Duration) store.Session {
	t.Helper()
	session, err := s.Join(t.Context(), "worker", lease)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, session.Leave(context.WithoutCancel(t.Context()))) })
	return session
}

// create stores a job, changed as told.
func create(t testing.TB, s *redisstore.Store, changes ...func(*store.NewJob)) store.Job {
	t.Helper()
	job := store.NewJob{
		Route: "POST /reports", Queue: "default", Owner: "alice", MaxAttempts: 3, Retention: time.Hour,
		Request: []byte("request"), Envelope: []byte("envelope"),
	}
	for _, change := range changes {
		change(&job)
	}
	created, _, err := s.Create(t.Context(), job)
	require.NoError(t, err)
	return created
}

func claim(t testing.TB, session store.Session, most int) []store.Claim {
	t.Helper()
	batch, err := session.Claim(t.Context(), []store.Want{{Queue: "default", Max: most}})
	require.NoError(t, err)
	return batch.Claims
}

// subscriptions counts the channels that anybody listens to.
func subscriptions(t *testing.T, client *redis.Client) int {
	t.Helper()
	channels, err := client.PubSubChannels(t.Context(), "*").Result()
	require.NoError(t, err)
	return len(channels)
}

func receive(t *testing.T, hints <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-hints:
	case <-time.After(patience):
		require.Fail(t, "no hint came", what)
	}
}

func drop(hints <-chan struct{}) {
	select {
	case <-hints:
	default:
	}
}

func eventually(t *testing.T, what string, met func() bool) {
	t.Helper()
	require.Eventually(t, met, patience, 10*time.Millisecond, what)
}
