package redistest_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
)

// dialable reports whether anybody listens at an address.
func dialable(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

func setting(t *testing.T, client *redis.Client, name string) string {
	t.Helper()
	values, err := client.ConfigGet(t.Context(), name).Result()
	require.NoError(t, err)
	return values[name]
}

func TestStart(t *testing.T) {
	t.Parallel()
	t.Run("keeps nothing on disk and evicts nothing", func(t *testing.T) {
		client := redistest.Start(t).Client(t)
		assert.Empty(t, setting(t, client, "save"))
		assert.Equal(t, "no", setting(t, client, "appendonly"))
		assert.Equal(t, "noeviction", setting(t, client, "maxmemory-policy"))
	})
	t.Run("takes lines of redis.conf, which win", func(t *testing.T) {
		client := redistest.Start(t, "appendonly yes", "appendfsync always", "maxmemory-policy allkeys-lru").Client(t)
		assert.Equal(t, "yes", setting(t, client, "appendonly"))
		assert.Equal(t, "always", setting(t, client, "appendfsync"))
		assert.Equal(t, "allkeys-lru", setting(t, client, "maxmemory-policy"))
	})
	t.Run("gives its clients the password", func(t *testing.T) {
		server := redistest.Start(t, "requirepass secret")
		require.NoError(t, server.Client(t).Ping(t.Context()).Err())
		stranger := redis.NewClient(&redis.Options{Addr: server.Addr()})
		defer func() { assert.NoError(t, stranger.Close()) }()
		require.ErrorContains(t, stranger.Ping(t.Context()).Err(), "NOAUTH")
	})
	t.Run("gives servers that run together ports and directories of their own", func(t *testing.T) {
		one, other := redistest.Start(t), redistest.Start(t)
		assert.NotEqual(t, one.Addr(), other.Addr())
		assert.NotEqual(t, one.Dir(), other.Dir())
		require.NoError(t, one.Client(t).Set(t.Context(), "key", "value", 0).Err())
		require.ErrorIs(t, other.Client(t).Get(t.Context(), "key").Err(), redis.Nil)
	})
	t.Run("ends with the test, with its client and its directory", func(t *testing.T) {
		var server *redistest.Server
		var client *redis.Client
		t.Run("test", func(t *testing.T) {
			server = redistest.Start(t)
			client = server.Client(t)
			t.Cleanup(func() {
				assert.NoError(t, client.Ping(context.Background()).Err(), "cleanups can still use it")
			})
		})
		assert.False(t, dialable(server.Addr()))
		assert.NoDirExists(t, server.Dir())
		require.ErrorIs(t, client.Ping(t.Context()).Err(), redis.ErrClosed)
	})
}

func TestShared(t *testing.T) {
	t.Run("is a server of its own when no address is given", func(t *testing.T) {
		t.Setenv("REDIS_ADDR", "")
		addr := redistest.Shared(t)
		assert.True(t, dialable(addr))
		assert.NotEqual(t, addr, redistest.Shared(t))
	})
	t.Run("is the server at REDIS_ADDR", func(t *testing.T) {
		server := redistest.Start(t)
		t.Setenv("REDIS_ADDR", server.Addr())
		assert.Equal(t, server.Addr(), redistest.Shared(t))
	})
}

func TestServerEndsAndComesBack(t *testing.T) {
	t.Parallel()
	t.Run("a kill loses what is not on disk", func(t *testing.T) {
		server := redistest.Start(t)
		client := server.Client(t)
		require.NoError(t, client.Set(t.Context(), "key", "value", 0).Err())
		server.Kill()
		server.Kill() // again: nothing happens
		assert.False(t, dialable(server.Addr()))
		server.Restart(t)
		require.ErrorIs(t, client.Get(t.Context(), "key").Err(), redis.Nil)
	})
	t.Run("a kill keeps what is on disk", func(t *testing.T) {
		server := redistest.Start(t, "appendonly yes", "appendfsync always")
		addr := server.Addr()
		client := server.Client(t)
		require.NoError(t, client.Set(t.Context(), "key", "value", 0).Err())
		server.Kill()
		server.Restart(t)
		assert.Equal(t, addr, server.Addr())
		assert.Equal(t, "value", client.Get(t.Context(), "key").Val())
	})
	t.Run("a stop gives Redis the time to write its data", func(t *testing.T) {
		server := redistest.Start(t, "save 3600 1")
		client := server.Client(t)
		require.NoError(t, client.Set(t.Context(), "key", "value", 0).Err())
		server.Stop()
		assert.False(t, dialable(server.Addr()))
		assert.FileExists(t, filepath.Join(server.Dir(), "dump.rdb"))
		server.Restart(t)
		assert.Equal(t, "value", client.Get(t.Context(), "key").Val())
	})
	t.Run("a restart of a running server stops it first", func(t *testing.T) {
		server := redistest.Start(t)
		client := server.Client(t)
		before := client.InfoMap(t.Context(), "server").Item("Server", "run_id")
		server.Restart(t)
		after := client.InfoMap(t.Context(), "server").Item("Server", "run_id")
		assert.NotEqual(t, before, after)
	})
	t.Run("a restart returns after the data was loaded", func(t *testing.T) {
		server := redistest.Start(t, "save 3600 1", "key-load-delay 500", "loading-process-events-interval-bytes 1024")
		client := server.Client(t)
		fill := "for i = 1, 1000 do redis.call('SET', 'key' .. i, string.rep('x', 100)) end return 1"
		require.NoError(t, client.Eval(t.Context(), fill, nil).Err())
		server.Stop()
		server.Restart(t)
		count, err := client.DBSize(t.Context()).Result()
		require.NoError(t, err)
		assert.EqualValues(t, 1000, count)
	})
}

func TestPause(t *testing.T) {
	t.Parallel()
	t.Run("nothing is answered until the server goes on", func(t *testing.T) {
		server := redistest.Start(t)
		client := server.Client(t)
		require.NoError(t, client.Set(t.Context(), "key", "value", 0).Err())
		server.Pause()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		timesOut(t, client.Get(ctx, "key").Err())
		assert.True(t, dialable(server.Addr()), "the system still accepts")
		server.Resume()
		assert.Equal(t, "value", client.Get(t.Context(), "key").Val())
	})
	t.Run("a paused server can be stopped", func(t *testing.T) {
		server := redistest.Start(t)
		server.Pause()
		server.Stop()
		assert.False(t, dialable(server.Addr()))
	})
	t.Run("a paused server can be killed", func(t *testing.T) {
		server := redistest.Start(t)
		server.Pause()
		server.Kill()
		assert.False(t, dialable(server.Addr()))
		server.Pause() // of a dead one: nothing happens
		server.Resume()
	})
}

func TestCPUTime(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "busy-reply-threshold 60000")
	client := server.Client(t)
	before := server.CPUTime(t)
	began := time.Now()
	require.NoError(t, client.Eval(t.Context(), "for i = 1, 3e7 do end return 1", nil).Err())
	took := time.Since(began)
	used := server.CPUTime(t) - before
	assert.Greater(t, used, 10*time.Millisecond)
	assert.LessOrEqual(t, used, took+50*time.Millisecond)
}

func TestWithoutRedisServer(t *testing.T) {
	for name, program := range map[string]string{
		"no redis-server in PATH":          "",
		"no redis-server at $REDIS_SERVER": filepath.Join(t.TempDir(), "redis-server"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir())
			t.Setenv("REDIS_SERVER", program)
			failure := failureOf(t, func(t testing.TB) { redistest.Start(t) })
			assert.Contains(t, failure, name)
			assert.Contains(t, failure, "make redis")
			assert.NotContains(t, failure, "\n")
		})
	}
	t.Run("REDIS_SERVER names one that is not in PATH", func(t *testing.T) {
		path := os.Getenv("PATH")
		t.Setenv("PATH", t.TempDir())
		t.Setenv("REDIS_SERVER", lookPath(t, "redis-server", path))
		require.NoError(t, redistest.Start(t).Client(t).Ping(t.Context()).Err())
	})
}

func TestStartTellsWhy(t *testing.T) {
	t.Parallel()
	failure := failureOf(t, func(t testing.TB) { redistest.Start(t, "appendonly perhaps") })
	assert.Contains(t, failure, "appendonly perhaps")
}

func TestSharedTellsWhy(t *testing.T) {
	t.Setenv("REDIS_ADDR", "127.0.0.1:1")
	failure := failureOf(t, func(t testing.TB) { redistest.Shared(t) })
	assert.Contains(t, failure, "no Redis answers at $REDIS_ADDR")
	assert.Contains(t, failure, "127.0.0.1:1")
}
