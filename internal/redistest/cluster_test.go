package redistest_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
)

func TestCluster(t *testing.T) {
	t.Parallel()
	began := time.Now()
	cluster := redistest.StartCluster(t, 3, "appendonly yes")
	t.Logf("started in %v", time.Since(began))

	t.Run("takes writes for every slot at once", func(t *testing.T) {
		client := cluster.Client(t)
		owners := make(map[string]bool)
		for i := range 100 {
			key := fmt.Sprint("key", i)
			require.NoError(t, client.Set(t.Context(), key, i, 0).Err())
			owner := cluster.Master(t, key)
			owners[owner.Addr()] = true
			require.EqualValues(t, 1, owner.Client(t).Exists(t.Context(), key).Val(), "the master has the key")
		}
		assert.Len(t, owners, 3)
	})
	t.Run("has a replica for each master", func(t *testing.T) {
		nodes := cluster.Nodes()
		require.Len(t, nodes, 6)
		for i, node := range nodes {
			assert.Equal(t, cluster.Addrs()[i], node.Addr())
			client := node.Client(t)
			info := client.InfoMap(t.Context(), "replication")
			if i < 3 {
				assert.Equal(t, "master", info.Item("Replication", "role"))
				assert.Equal(t, "1", info.Item("Replication", "connected_slaves"))
				assert.EqualValues(t, 1, replicas(t, client), "a write reaches the replica")
				continue
			}
			assert.Equal(t, "slave", info.Item("Replication", "role"))
			_, port, err := net.SplitHostPort(nodes[i-3].Addr())
			require.NoError(t, err)
			assert.Equal(t, port, info.Item("Replication", "master_port"))
		}
	})
	t.Run("takes lines of redis.conf for each node", func(t *testing.T) {
		for _, node := range cluster.Nodes() {
			assert.Equal(t, "yes", setting(t, node.Client(t), "appendonly"))
		}
	})
	t.Run("elects another master for one that is lost", func(t *testing.T) {
		lost := cluster.Master(t, "key")
		lost.Kill()
		began := time.Now()
		elected := cluster.Master(t, "key")
		assert.NotEqual(t, lost.Addr(), elected.Addr())
		assert.Contains(t, cluster.Nodes()[3:], elected)
		awaitWrite(t, func() redis.UniversalClient { return cluster.Client(t) })
		t.Logf("a write works after %v", time.Since(began))

		lost.Restart(t)
		assert.Same(t, elected, cluster.Master(t, "key"), "the lost one is no master any more")
	})
}

// replicas returns how many replicas have the last write.
func replicas(t *testing.T, client *redis.Client) int64 {
	t.Helper()
	conn := client.Conn()
	defer func() { assert.NoError(t, conn.Close()) }()
	require.NoError(t, conn.Publish(t.Context(), "channel", "message").Err())
	count, err := conn.Wait(t.Context(), 1, 5*time.Second).Result()
	require.NoError(t, err)
	return count
}

// awaitWrite waits until a write works through a new client.
func awaitWrite(t *testing.T, fresh func() redis.UniversalClient) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		client := fresh()
		err := client.Set(t.Context(), "key", "value", 0).Err()
		require.NoError(t, client.Close())
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			require.NoError(t, err, "no write works")
		case <-tick.C:
		}
	}
}
