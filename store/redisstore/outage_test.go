package redisstore_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// shortly is what a call with a context of half a second may take on a busy machine.
const shortly = 3 * time.Second

func TestNobodyWaitsForTheConnectionOfHints(t *testing.T) {
	server := redistest.Start(t)
	for name, fail := range map[string]func(p *redistest.Proxy, dials *atomic.Int32){
		"that hangs": func(p *redistest.Proxy, _ *atomic.Int32) { p.Hang() },
		"that hangs while it is made anew": func(p *redistest.Proxy, dials *atomic.Int32) {
			before := dials.Load()
			p.Cut()
			p.Hang()
			require.Eventually(t, func() bool { return dials.Load() > before }, patience, time.Millisecond)
		},
		"that is refused": func(p *redistest.Proxy, _ *atomic.Int32) { p.Cut() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := redistest.NewProxy(t, server.Addr())
			client, dials := behind(t, proxy)
			s := redisstore.New(client, redisstore.WithPrefix(prefix(t)))
			session, err := s.Join(t.Context(), "worker", time.Minute)
			require.NoError(t, err)
			created := create(t, s)
			require.Len(t, claim(t, session, 1), 1)
			fail(proxy, dials)

			watches, end := context.WithCancel(t.Context())
			defer end()
			for range 3 {
				within(t, "Watch", func(ctx context.Context) { _, _ = s.Watch(ctx, store.NewID('a')) })
			}
			began := time.Now()
			changes, err := s.Watch(watches, created.ID)
			require.NoError(t, err)
			assert.Less(t, time.Since(began), shortly, "Watch without a deadline")
			within(t, "Leave", func(ctx context.Context) { require.Error(t, session.Leave(ctx)) })

			proxy.Mend()
			receive(t, changes, "the watch is told when it can hear")
			_, err = s.Cancel(t.Context(), created.ID)
			require.NoError(t, err)
			receive(t, changes, "the watch hears")
			require.NoError(t, session.Leave(t.Context()))
			end()
			eventually(t, "the connection is closed", func() bool { return client.PoolStats().PubSubStats.Active == 0 })
		})
	}
}

func TestTheConnectionOfHintsIsClosedWhileTheNetworkHangs(t *testing.T) {
	proxy := redistest.NewProxy(t, redistest.Start(t).Addr())
	client, _ := behind(t, proxy)
	s := redisstore.New(client)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	_, err := s.Watch(ctx, store.NewID('a'))
	require.NoError(t, err)
	require.EqualValues(t, 1, client.PoolStats().PubSubStats.Active)
	proxy.Hang()
	end()
	// Not only when it is found dead.
	require.Eventually(t, func() bool { return client.PoolStats().PubSubStats.Active == 0 }, shortly, 10*time.Millisecond)
}

func TestWithoutHintsWorkersWorkAll(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t)
	allow := func(rules ...any) {
		require.NoError(t, admin.Do(t.Context(), append([]any{"ACL", "SETUSER", "app"}, rules...)...).Err())
	}
	allow("on", ">secret", "~*", "+@all", "resetchannels")
	client := redis.NewClient(&redis.Options{
		Addr: server.Addr(), Username: "app", Password: "secret", ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	s, publisher := redisstore.New(client), redisstore.New(admin)

	// Not more than a worker has for it.
	ctx, cancel := context.WithTimeout(t.Context(), shortly)
	defer cancel()
	session, err := s.Join(ctx, "worker", time.Minute)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, session.Leave(context.WithoutCancel(t.Context()))) })
	created := create(t, publisher)
	changes, err := s.Watch(t.Context(), created.ID)
	require.NoError(t, err)
	assert.Len(t, claim(t, session, 1), 1)
	_, err = session.Renew(t.Context())
	require.NoError(t, err)
	assert.Empty(t, changes)

	// Hints that come at last come as after an outage.
	drop(session.Arrived())
	allow("allchannels")
	receive(t, changes, "the watch")
	receive(t, session.Arrived(), "the session, for jobs")
	receive(t, session.StopAsked(), "the session, for requests to stop")
}

// behind returns a client that goes through a proxy, and how often it dialed.
func behind(t *testing.T, proxy *redistest.Proxy) (*redis.Client, *atomic.Int32) {
	t.Helper()
	dials := new(atomic.Int32)
	client := redis.NewClient(&redis.Options{
		Addr: proxy.Addr(), ContextTimeoutEnabled: true,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			dials.Add(1)
			return conn, err
		},
	})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return client, dials
}

// within runs a call with a context of half a second.
func within(t *testing.T, what string, call func(ctx context.Context)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	call(ctx)
	assert.Less(t, time.Since(began), shortly, what)
}
