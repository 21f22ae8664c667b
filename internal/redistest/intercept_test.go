package redistest_test

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
)

// on returns an interceptor with a verdict about one command, given by its words.
func on(command string, verdict redistest.Verdict) func([]string) redistest.Verdict {
	return func(words []string) redistest.Verdict {
		if strings.Join(words, " ") == command {
			return verdict
		}
		return redistest.Pass
	}
}

func startProxy(t *testing.T) (*redistest.Proxy, *redis.Client) {
	t.Helper()
	server := redistest.Start(t)
	return redistest.NewProxy(t, server.Addr()), server.Client(t)
}

func TestInterceptSees(t *testing.T) {
	t.Parallel()
	proxy, _ := startProxy(t)
	var seen []string
	record := func(words []string) redistest.Verdict {
		seen = append(seen, strings.Join(words, " "))
		return redistest.Pass
	}
	t.Run("each command in its order, pipelines too", func(t *testing.T) {
		w := dial(t, proxy.Addr())
		w.send("PING")
		w.receives("+PONG")
		proxy.Intercept(record)
		w.send("SET a 1", "GET a", "MULTI", "INCR a", "EXEC")
		w.receives("+OK", "$1", "1", "+OK", "+QUEUED", "*1", ":2")
		assert.Equal(t, []string{"SET a 1", "GET a", "MULTI", "INCR a", "EXEC"}, seen)
		proxy.Intercept(nil)
		w.send("PING")
		w.receives("+PONG")
		assert.Len(t, seen, 5)
	})
	t.Run("what a client sends by itself", func(t *testing.T) {
		seen = nil
		proxy.Intercept(record)
		require.NoError(t, through(t, proxy, 3).Ping(t.Context()).Err())
		proxy.Intercept(nil)
		assert.Equal(t, "hello 3", seen[0])
		assert.Equal(t, "ping", seen[len(seen)-1])
	})
	t.Run("the commands of all connections one at a time", func(t *testing.T) {
		seen = nil
		proxy.Intercept(record) // the race detector watches
		var clients sync.WaitGroup
		for range 8 {
			w := dial(t, proxy.Addr())
			clients.Go(func() {
				for range 100 {
					w.send("PING")
					if _, err := w.r.ReadString('\n'); !assert.NoError(t, err) {
						return
					}
				}
			})
		}
		clients.Wait()
		proxy.Intercept(nil)
		assert.Len(t, seen, 800)
	})
}

func TestDropReply(t *testing.T) {
	t.Parallel()
	proxy, direct := startProxy(t)
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("the server runs the command, the client of RESP%d cannot know", protocol), func(t *testing.T) {
			key := fmt.Sprint("counter", protocol)
			proxy.Intercept(on("incr "+key, redistest.DropReply))
			client := through(t, proxy, protocol)
			require.ErrorIs(t, client.Incr(t.Context(), key).Err(), io.EOF)
			assert.Equal(t, "1", direct.Get(t.Context(), key).Val())
			require.NoError(t, client.Ping(t.Context()).Err(), "a new connection works")
		})
	}
	t.Run("commands before it are answered, commands behind it are not run", func(t *testing.T) {
		proxy.Intercept(on("INCR b", redistest.DropReply))
		w := dial(t, proxy.Addr())
		w.send("INCR a", "ECHO text", "INCR b", "INCR c")
		w.receives(":1", "$4", "text")
		w.ends()
		assert.Equal(t, []any{"1", "1", nil}, direct.MGet(t.Context(), "a", "b", "c").Val())
	})
	t.Run("the interceptor can take itself away", func(t *testing.T) {
		proxy.Intercept(func([]string) redistest.Verdict {
			proxy.Intercept(nil)
			return redistest.DropReply
		})
		w := dial(t, proxy.Addr())
		w.send("INCR once")
		w.ends()
		assert.Equal(t, "1", direct.Get(t.Context(), "once").Val())
	})
	t.Run("of a reply of many parts nothing arrives", func(t *testing.T) {
		require.NoError(t, direct.RPush(t.Context(), "list", strings.Repeat("x", 1<<20), "", "y").Err())
		proxy.Intercept(on("LRANGE list 0 -1", redistest.DropReply))
		w := dial(t, proxy.Addr())
		w.send("PING", "LRANGE list 0 -1", "PING")
		w.receives("+PONG")
		w.ends()
	})
	t.Run("a command that waits in Redis is dropped when it is answered", func(t *testing.T) {
		proxy.Intercept(on("BLPOP blocked 0", redistest.DropReply))
		w := dial(t, proxy.Addr())
		w.send("BLPOP blocked 0")
		w.silent()
		require.NoError(t, direct.RPush(t.Context(), "blocked", 1).Err())
		w.ends()
		assert.Zero(t, direct.Exists(t.Context(), "blocked").Val())
	})
}

func TestDropCommand(t *testing.T) {
	t.Parallel()
	proxy, direct := startProxy(t)
	t.Run("the server does not run the command", func(t *testing.T) {
		proxy.Intercept(on("incr counter", redistest.DropCommand))
		client := through(t, proxy, 3)
		require.ErrorIs(t, client.Incr(t.Context(), "counter").Err(), io.EOF)
		assert.Zero(t, direct.Exists(t.Context(), "counter").Val())
		require.NoError(t, client.Ping(t.Context()).Err(), "a new connection works")
	})
	t.Run("commands before it are answered, commands behind it are not run", func(t *testing.T) {
		proxy.Intercept(on("INCR b", redistest.DropCommand))
		w := dial(t, proxy.Addr())
		w.send("INCR a", "BLPOP list 0", "INCR b", "INCR c")
		w.receives(":1")
		w.silent()
		require.NoError(t, direct.RPush(t.Context(), "list", "x").Err())
		w.receives("*2", "$4", "list", "$1", "x")
		w.ends()
		assert.Equal(t, []any{"1", nil, nil}, direct.MGet(t.Context(), "a", "b", "c").Val())
	})
}

func TestInterceptCanCut(t *testing.T) {
	t.Parallel()
	proxy, direct := startProxy(t)
	proxy.Intercept(func(words []string) redistest.Verdict {
		if words[0] == "CUT" {
			proxy.Cut()
		}
		return redistest.Pass
	})
	w := dial(t, proxy.Addr())
	w.send("INCR a", "CUT", "INCR b")
	_, err := io.Copy(io.Discard, w.r)
	_ = err // reset or closed
	assert.Eventually(t, func() bool { return direct.Exists(t.Context(), "a").Val() == 1 }, 10*time.Second, time.Millisecond)
	assert.Zero(t, direct.Exists(t.Context(), "b").Val())
}
