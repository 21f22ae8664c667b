package redisstore

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
)

// still returns a hub without its keeper: the test does what that does.
func still() *hub {
	h := newHub(nil)
	h.kept = true
	return h
}

// recorder returns a listener and what it hears.
func recorder(channels ...string) (l *listener, heard *[]string) {
	heard = new([]string)
	return &listener{channels: channels, hear: func(name string) { *heard = append(*heard, name) }}, heard
}

func TestConfirmations(t *testing.T) {
	t.Run("are no hint to a listener that waits for them", func(t *testing.T) {
		h := still()
		l, heard := recorder("a", "b")
		h.add(t.Context(), l)
		h.work()
		h.confirm("a")
		assert.True(t, l.waiting, "b is not confirmed yet")
		h.confirm("b")
		require.NoError(t, h.await(t.Context(), l))
		assert.Empty(t, *heard)
		h.tell("b")
		assert.Equal(t, []string{"b"}, *heard)
	})
	t.Run("are one to a listener that has given up waiting", func(t *testing.T) {
		h := still()
		h.patience = time.Millisecond
		l, heard := recorder("a", "b")
		h.add(t.Context(), l)
		h.work()
		h.confirm("a")
		require.NoError(t, h.await(t.Context(), l))
		h.confirm("b")
		assert.Equal(t, []string{"b"}, *heard)
	})
	t.Run("are one to all after a connection was lost", func(t *testing.T) {
		h := still()
		l, heard := recorder("a")
		h.add(t.Context(), l)
		h.work()
		h.confirm("a")
		h.lost(t.Context())
		h.wanted()
		late, lateHeard := recorder("a")
		h.add(t.Context(), late)
		assert.False(t, late.waiting, "there is nothing to wait for")
		fresh, _ := h.work()
		assert.Equal(t, []string{"a"}, fresh)
		h.confirm("a")
		assert.Equal(t, []string{"a"}, *heard)
		assert.Equal(t, []string{"a"}, *lateHeard)
	})
	t.Run("are not waited for when there is no connection", func(t *testing.T) {
		h := still()
		h.patience = time.Hour
		l, heard := recorder("a")
		h.add(t.Context(), l)
		h.work()
		h.lost(t.Context())
		require.NoError(t, h.await(t.Context(), l))
		h.wanted()
		h.work()
		h.confirm("a")
		assert.Equal(t, []string{"a"}, *heard)
	})
	t.Run("of a subscription that was left since do not count", func(t *testing.T) {
		h := still()
		one, _ := recorder("a")
		h.add(t.Context(), one)
		h.work()
		h.drop(one)
		_, unused := h.work()
		assert.Equal(t, []string{"a"}, unused)
		other, _ := recorder("a")
		h.add(t.Context(), other)
		fresh, _ := h.work()
		assert.Equal(t, []string{"a"}, fresh)
		h.confirm("a")
		assert.True(t, other.waiting)
		h.confirm("a")
		assert.False(t, other.waiting)
	})
}

func TestAnEarThatIsDeafLeavesTheNextListener(t *testing.T) {
	h := still()
	s := &Store{hub: h}
	h.patience = time.Millisecond
	var e ear
	one, _ := recorder("a")
	require.NoError(t, e.open(t.Context(), s, one, time.Minute))
	other, _ := recorder("b")
	require.NoError(t, e.open(t.Context(), s, other, time.Minute))
	e.closeFor(one, h) // its timer was late
	assert.Contains(t, h.channels, "b")
	assert.NotContains(t, h.channels, "a")
	e.close(t.Context(), h)
	assert.Empty(t, h.channels)
}

// network makes connections the other end of which may be gone without a word.
type network struct{ gone atomic.Pointer[atomic.Bool] }

// vanish makes the connections there are swallow everything; new ones work.
func (n *network) vanish() {
	if gone := n.gone.Swap(new(atomic.Bool)); gone != nil {
		gone.Store(true)
	}
}

func (n *network) dial(ctx context.Context, kind, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, kind, addr)
	return halfOpen{conn, n.gone.Load()}, err
}

type halfOpen struct {
	net.Conn
	gone *atomic.Bool
}

func (c halfOpen) Read(p []byte) (int, error) {
	for {
		if n, err := c.Conn.Read(p); err != nil || !c.gone.Load() {
			return n, err
		}
	}
}

func (c halfOpen) Write(p []byte) (int, error) {
	if c.gone.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func TestLiveness(t *testing.T) {
	server := redistest.Start(t)
	t.Run("a connection whose other end is gone is replaced, and all are told", func(t *testing.T) {
		var n network
		n.vanish()
		client := redis.NewClient(&redis.Options{
			Addr: server.Addr(), ContextTimeoutEnabled: true, ReadTimeout: time.Second, Dialer: n.dial,
		})
		t.Cleanup(func() { assert.NoError(t, client.Close()) })
		s := New(client)
		s.hub.liveness = 100 * time.Millisecond
		changes, err := s.Watch(t.Context(), store.NewID('a'))
		require.NoError(t, err)
		n.vanish()
		select {
		case <-changes:
		case <-time.After(20 * time.Second):
			require.Fail(t, "the watch was not told")
		}
	})
	t.Run("one that is lost is replaced by one", func(t *testing.T) {
		client := server.Client(t)
		s := New(client)
		changes, err := s.Watch(t.Context(), store.NewID('a'))
		require.NoError(t, err)
		require.NoError(t, client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err())
		select {
		case <-changes:
		case <-time.After(20 * time.Second):
			require.Fail(t, "the watch was not told")
		}
		assert.EqualValues(t, 2, client.PoolStats().PubSubStats.Created)
	})
	t.Run("one that is merely quiet stays, and nobody is told", func(t *testing.T) {
		proxy := redistest.NewProxy(t, server.Addr())
		var subscribes atomic.Int32
		proxy.Intercept(func(command []string) redistest.Verdict {
			if command[0] == "subscribe" {
				subscribes.Add(1)
			}
			return redistest.Pass
		})
		client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
		t.Cleanup(func() { assert.NoError(t, client.Close()) })
		s := New(client)
		s.hub.liveness = 100 * time.Millisecond
		changes, err := s.Watch(t.Context(), store.NewID('a'))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return subscribes.Load() >= 4 }, 20*time.Second, 10*time.Millisecond)
		assert.Empty(t, changes)
		assert.EqualValues(t, 1, client.PoolStats().PubSubStats.Created)
	})
}
