package redisserver_test

import (
	"net"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/bench/redisserver"
)

func TestServer(t *testing.T) {
	server, err := redisserver.Start(t.Context())
	require.NoError(t, err)
	stopped := false
	t.Cleanup(func() {
		if !stopped {
			require.NoError(t, server.Stop())
		}
	})
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { require.NoError(t, client.Close()) })

	before, err := server.Usage(t.Context())
	require.NoError(t, err)
	require.NoError(t, client.Set(t.Context(), "key", "value", 0).Err())
	after, err := server.Usage(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(1), after.Commands-before.Commands)
	require.GreaterOrEqual(t, after.CPU, before.CPU)

	require.NoError(t, server.Flush(t.Context()))
	require.ErrorIs(t, client.Get(t.Context(), "key").Err(), redis.Nil)

	require.NoError(t, server.Stop())
	stopped = true
	conn, err := net.Dial("tcp", server.Addr())
	if err == nil {
		conn.Close()
	}
	require.Error(t, err, "it is gone")
}
