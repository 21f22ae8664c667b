package redistest_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
)

// through returns a client that makes one attempt, and uses the protocol in that version.
func through(t *testing.T, proxy *redistest.Proxy, protocol int) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{
		Addr:                  proxy.Addr(),
		Protocol:              protocol,
		MaxRetries:            -1,
		ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return client
}

// refuses asserts that a new connection fails or ends at once.
func refuses(t *testing.T, proxy *redistest.Proxy) {
	t.Helper()
	conn, err := net.Dial("tcp", proxy.Addr())
	if err != nil {
		return
	}
	(&wire{t: t, conn: conn, r: bufio.NewReader(conn)}).ends()
	assert.NoError(t, conn.Close())
}

// timesOut asserts that a command failed because its time was over.
func timesOut(t *testing.T, err error) {
	t.Helper()
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout(), "%v", err)
}

func TestProxyPasses(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "enable-debug-command local")
	proxy := redistest.NewProxy(t, server.Addr())

	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("commands and replies of RESP%d", protocol), func(t *testing.T) {
			client := through(t, proxy, protocol)
			large := strings.Repeat("\r\n$0\x00", 1<<18)
			require.NoError(t, client.Set(t.Context(), "large", large, 0).Err())
			assert.Equal(t, large, client.Get(t.Context(), "large").Val())
			require.ErrorIs(t, client.Get(t.Context(), "none").Err(), redis.Nil)
			require.ErrorContains(t, client.Incr(t.Context(), "large").Err(), "not an integer")
			require.NoError(t, client.HSet(t.Context(), "hash", "a", "1", "b", "").Err())
			assert.Equal(t, map[string]string{"a": "1", "b": ""}, client.HGetAll(t.Context(), "hash").Val())
			nested := client.Eval(t.Context(), "return {1, {'a', {}}, false}", nil).Val()
			assert.Equal(t, []any{int64(1), []any{"a", []any{}}, nil}, nested)
		})
		t.Run(fmt.Sprintf("pipelines of RESP%d", protocol), func(t *testing.T) {
			client := through(t, proxy, protocol)
			replies, err := client.Pipelined(t.Context(), func(p redis.Pipeliner) error {
				for i := range 1000 {
					p.Echo(t.Context(), i)
				}
				return nil
			})
			require.NoError(t, err)
			for i, reply := range replies {
				require.Equal(t, fmt.Sprint(i), reply.(*redis.StringCmd).Val())
			}
		})
		t.Run(fmt.Sprintf("messages of RESP%d", protocol), func(t *testing.T) {
			client := through(t, proxy, protocol)
			hears := client.Subscribe(t.Context(), "one")
			defer func() { assert.NoError(t, hears.Close()) }()
			messages := hears.Channel()
			require.NoError(t, hears.Subscribe(t.Context(), "two"))
			require.NoError(t, hears.PSubscribe(t.Context(), "three*"))
			for _, channel := range []string{"one", "two", "three3"} {
				require.Eventually(t, func() bool {
					return client.Publish(t.Context(), channel, "to "+channel).Val() == 1
				}, 10*time.Second, time.Millisecond)
				assert.Equal(t, "to "+channel, (<-messages).Payload)
			}
		})
	}
	t.Run("what it cannot match with commands", func(t *testing.T) {
		monitor := dial(t, proxy.Addr())
		monitor.send("MONITOR")
		monitor.receives("+OK")
		require.NoError(t, server.Client(t).Echo(t.Context(), "hello").Err())
		for line := ""; !strings.Contains(line, `"echo" "hello"`); {
			var err error
			line, err = monitor.r.ReadString('\n')
			require.NoError(t, err)
		}
	})
	t.Run("commands that are typed by hand", func(t *testing.T) {
		hand := dial(t, proxy.Addr())
		fmt.Fprintf(hand.conn, "PING\r\n\r\nECHO  hand\r\n")
		hand.receives("+PONG", "$4", "hand")
	})
	t.Run("the end that a client comes to after its last command", func(t *testing.T) {
		client := dial(t, proxy.Addr())
		client.send("PING", "ECHO last")
		require.NoError(t, client.conn.(*net.TCPConn).CloseWrite())
		client.receives("+PONG", "$4", "last")
		client.ends()
	})
}

func TestProxyWithoutTarget(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	client := dial(t, proxy.Addr())
	client.send("PING")
	client.receives("+PONG")
	server.Kill()
	client.ends()
	refuses(t, proxy)
	server.Restart(t)
	require.NoError(t, through(t, proxy, 3).Ping(t.Context()).Err())
}

func TestProxyCut(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	direct := server.Client(t)
	proxy := redistest.NewProxy(t, server.Addr())
	old := dial(t, proxy.Addr())
	old.send("CLIENT SETNAME old")
	old.receives("+OK")

	proxy.Cut()
	old.ends()
	refuses(t, proxy)
	require.Error(t, through(t, proxy, 3).Ping(t.Context()).Err())
	assert.Eventually(t, func() bool { return !isConnected(t, direct, "old") }, 10*time.Second, time.Millisecond)

	proxy.Mend()
	require.NoError(t, through(t, proxy, 3).Ping(t.Context()).Err())
}

// isConnected reports whether the server has a connection of a name.
func isConnected(t *testing.T, client *redis.Client, name string) bool {
	t.Helper()
	list, err := client.ClientList(t.Context()).Result()
	assert.NoError(t, err)
	return strings.Contains(list, "name="+name+" ")
}

func TestProxyBetweenMasterAndReplica(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t, "repl-diskless-sync-delay 0")
	client := master.Client(t)
	proxy := redistest.NewProxy(t, master.Addr())
	_, port, err := net.SplitHostPort(proxy.Addr())
	require.NoError(t, err)
	require.NoError(t, client.Set(t.Context(), "before", 1, 0).Err())
	replica := redistest.Start(t, "replicaof 127.0.0.1 "+port).Client(t)
	require.Eventually(t, func() bool { return replica.Exists(t.Context(), "before").Val() == 1 },
		20*time.Second, 5*time.Millisecond)

	require.NoError(t, client.Set(t.Context(), "after", 1, 0).Err())
	assert.EqualValues(t, 1, client.Wait(t.Context(), 1, 10*time.Second).Val())
	proxy.Hang()
	require.NoError(t, client.Set(t.Context(), "hung", 1, 0).Err())
	assert.Zero(t, client.Wait(t.Context(), 1, 50*time.Millisecond).Val())
	proxy.Mend()
	require.Eventually(t, func() bool { return replica.Exists(t.Context(), "hung").Val() == 1 },
		20*time.Second, 5*time.Millisecond)
}
