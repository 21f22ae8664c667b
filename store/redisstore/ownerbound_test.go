package redisstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

func TestOwnersAreCountedForThoseAloneWhoBoundThem(t *testing.T) {
	client := redistest.Start(t).Client(t)
	s := redisstore.New(client)
	counts := func() map[string]string {
		t.Helper()
		all := map[string]string{}
		keys, err := client.Keys(t.Context(), "*:waiting").Result()
		require.NoError(t, err)
		for _, key := range keys {
			fields, err := client.HGetAll(t.Context(), key).Result()
			require.NoError(t, err)
			for owner, n := range fields {
				all[owner] = n
			}
		}
		return all
	}
	free := create(t, s)
	assert.Empty(t, counts(), "a job without the bound")

	bound := func(j *store.NewJob) { j.MaxWaitingOfOwner = 5 }
	counted := create(t, s, bound)
	later := create(t, s, bound, func(j *store.NewJob) { j.Delay = time.Hour })
	create(t, s, bound, func(j *store.NewJob) { j.Owner = "" })
	assert.Equal(t, map[string]string{"alice": "2"}, counts())

	session := join(t, s, time.Minute)
	require.Len(t, claim(t, session, 2), 2) // free and counted
	assert.Equal(t, map[string]string{"alice": "1"}, counts())
	require.NoError(t, session.Release(t.Context(), store.Ref{ID: free.ID, Claim: 1}, 0))
	assert.Equal(t, map[string]string{"alice": "1"}, counts(), "one that was not counted never is")
	require.NoError(t, session.Release(t.Context(), store.Ref{ID: counted.ID, Claim: 1}, 0))
	assert.Equal(t, map[string]string{"alice": "2"}, counts())
	for _, id := range []string{counted.ID, later.ID} {
		_, err := s.Cancel(t.Context(), id)
		require.NoError(t, err)
	}
	assert.Empty(t, counts(), "nothing is left of an owner without waiting jobs")
}
