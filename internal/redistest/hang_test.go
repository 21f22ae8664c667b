package redistest_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
)

func TestProxyHang(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	direct := server.Client(t)
	proxy := redistest.NewProxy(t, server.Addr())
	start := func(t *testing.T, name string) *wire {
		t.Helper()
		t.Cleanup(proxy.Mend)
		w := dial(t, proxy.Addr())
		w.send("CLIENT SETNAME " + name)
		w.receives("+OK")
		return w
	}
	t.Run("no command passes, and never will", func(t *testing.T) {
		w := start(t, "a")
		proxy.Hang()
		w.send("SET a 1")
		w.silent()
		proxy.Mend()
		w.ends()
		assert.Zero(t, direct.Exists(t.Context(), "a").Val())
	})
	t.Run("no reply passes, and never will", func(t *testing.T) {
		w := start(t, "b")
		w.send("BLPOP b 0")
		require.Eventually(t, func() bool {
			return strings.Contains(direct.ClientList(t.Context()).Val(), "cmd=blpop")
		}, 10*time.Second, time.Millisecond)
		proxy.Hang()
		require.NoError(t, direct.RPush(t.Context(), "b", 1).Err())
		assert.Zero(t, direct.Exists(t.Context(), "b").Val(), "Redis handed it out")
		w.silent()
		proxy.Mend()
		w.ends()
	})
	t.Run("new connections hang as well", func(t *testing.T) {
		start(t, "c")
		proxy.Hang()
		w := dial(t, proxy.Addr())
		w.send("PING")
		w.silent()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		timesOut(t, through(t, proxy, 3).Ping(ctx).Err())
		proxy.Mend()
		w.ends()
		require.NoError(t, through(t, proxy, 3).Ping(t.Context()).Err())
	})
	t.Run("the server does not learn that the client has gone", func(t *testing.T) {
		w := start(t, "d")
		proxy.Hang()
		require.NoError(t, w.conn.Close())
		for closed := time.Now(); time.Since(closed) < 50*time.Millisecond; {
			require.True(t, isConnected(t, direct, "d"))
		}
		proxy.Mend()
		assert.Eventually(t, func() bool { return !isConnected(t, direct, "d") }, 10*time.Second, time.Millisecond)
	})
	t.Run("the client does not learn that the server has gone", func(t *testing.T) {
		w := start(t, "e")
		proxy.Hang()
		server.Kill()
		w.silent()
		server.Restart(t)
		proxy.Mend()
		w.ends()
	})
	t.Run("a cut ends it, too", func(t *testing.T) {
		w := start(t, "f")
		proxy.Hang()
		proxy.Cut()
		w.ends()
		refuses(t, proxy)
	})
	t.Run("writes that wait for a paused server do not hold it up", func(t *testing.T) {
		w := start(t, "g")
		server.Pause()
		defer server.Resume()
		command := fmt.Sprintf("*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n", 1<<20, strings.Repeat("x", 1<<20))
		var err error
		for err == nil { // until nobody takes any more
			require.NoError(t, w.conn.SetWriteDeadline(time.Now().Add(200*time.Millisecond)))
			_, err = io.WriteString(w.conn, command)
		}
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		proxy.Hang()
		proxy.Mend()
	})
}
