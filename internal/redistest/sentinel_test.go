package redistest_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
)

func TestSentinel(t *testing.T) {
	t.Parallel()
	began := time.Now()
	sentinel := redistest.StartSentinel(t, "requirepass secret")
	t.Logf("started in %v", time.Since(began))
	require.Len(t, sentinel.Addrs(), 3)

	client := sentinel.Client(t)
	require.NoError(t, client.Set(t.Context(), "key", "value", 0).Err())
	assert.Equal(t, "value", sentinel.Master().Client(t).Get(t.Context(), "key").Val())
	assert.EqualValues(t, 1, replicas(t, sentinel.Master().Client(t)))
	assert.Equal(t, "value", sentinel.Replica().Client(t).Get(t.Context(), "key").Val())

	for _, addr := range sentinel.Addrs() {
		watcher := redis.NewSentinelClient(&redis.Options{Addr: addr})
		assert.NoError(t, watcher.CkQuorum(t.Context(), sentinel.Name()).Err())
		require.NoError(t, watcher.Close())
	}

	sentinel.Master().Kill()
	began = time.Now()
	awaitWrite(t, func() redis.UniversalClient { return sentinel.Client(t) })
	t.Logf("a write works after %v", time.Since(began))
	replica := sentinel.Replica().Client(t)
	assert.Equal(t, "master", replica.InfoMap(t.Context(), "replication").Item("Replication", "role"))
}
