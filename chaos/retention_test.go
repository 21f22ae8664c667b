package chaos_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// mustLeaveNothing lets the retention of all jobs end, when no process runs any more, and
// asserts that recovery by a next one leaves no key. Until then only indexes have no
// expiry of their own.
func mustLeaveNothing(t *testing.T, client *redis.Client) {
	t.Helper()
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	t.Logf("%d keys are left before the end of their retention", len(keys))
	for _, key := range keys {
		switch left := client.PTTL(t.Context(), key).Val(); {
		case left > 0:
			require.NoError(t, client.PExpire(t.Context(), key, time.Millisecond).Err())
		case strings.HasSuffix(key, ":expiry"):
			endRetention(t, client, key)
		default:
			assert.True(t, strings.HasSuffix(key, "}") || strings.Contains(key, ":owner:"), "%s does not expire", key)
		}
	}
	s := redisstore.New(client)
	waitFor(t, func() error {
		if _, err := s.Reclaim(t.Context(), 100); err != nil {
			return err
		}
		left, err := client.Keys(t.Context(), "*").Result()
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("left are %v", left)
		}
		return err
	})
}

// endRetention makes the time of all jobs in the index that of now.
func endRetention(t *testing.T, client *redis.Client, index string) {
	t.Helper()
	entries, err := client.ZRange(t.Context(), index, 0, -1).Result()
	require.NoError(t, err)
	for _, entry := range entries {
		require.NoError(t, client.ZAdd(t.Context(), index, redis.Z{Score: 1, Member: entry}).Err())
	}
}
