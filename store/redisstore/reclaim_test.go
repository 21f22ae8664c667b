package redisstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// The lock of recovery takes memory, and the jobs of a dead worker must not wait for it.
func TestRecoveryWhenTheMemoryOfRedisIsFull(t *testing.T) {
	client := redistest.Start(t).Client(t)
	s := redisstore.New(client)
	for range 2 {
		create(t, s)
	}
	dead, err := s.Join(t.Context(), "dead", 500*time.Millisecond)
	require.NoError(t, err)
	require.Len(t, claim(t, dead, 2), 2)
	eventually(t, "the lease has run out", func() bool {
		_, err := dead.Claim(t.Context(), nil)
		return errors.Is(err, store.ErrLeaseLost)
	})
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())
	taken, err := s.Reclaim(t.Context(), 10)
	require.NoError(t, err)
	assert.Equal(t, 2, taken)
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, store.Stats{Queued: 2}, stats)
}
