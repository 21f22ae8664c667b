package redisstore_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
	"github.com/asyncendpoints/gin-async/store/storetest"
)

func TestConformance(t *testing.T) {
	client := connect(t, redistest.Shared(t))
	storetest.Run(t, func(t *testing.T) store.Store {
		return redisstore.New(client, redisstore.WithPrefix(prefix(t)))
	})
}

// prefix is that of one test: several share a server.
func prefix(t testing.TB) string {
	t.Helper()
	return "test:" + store.NewID('a')
}

func connect(t testing.TB, addr string) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, PoolSize: 50})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}
