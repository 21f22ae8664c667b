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

var refusal = store.Problem{Type: "t", Title: "T", Status: 500}

// An outcome of an earlier attempt that was removed by other hands must not keep what else
// is in a step from being done.
func TestAnOutcomeThatWasRemovedHindersNoStep(t *testing.T) {
	client := redistest.Start(t).Client(t)
	s := redisstore.New(client)
	// tried returns a job whose first attempt failed and left nothing any more.
	tried := func(t *testing.T, session store.Session) string {
		t.Helper()
		id := create(t, s).ID
		first := claim(t, session, 1)
		require.Len(t, first, 1)
		_, err := session.Settle(t.Context(), first[0].Ref, store.RetryAfter(0, refusal))
		require.NoError(t, err)
		require.EqualValues(t, 1, client.Del(t.Context(), "ginasync:{a}:outcome:"+id).Val())
		return id
	}
	t.Run("cancel", func(t *testing.T) {
		canceled, err := s.Cancel(t.Context(), tried(t, join(t, s, time.Minute)))
		require.NoError(t, err)
		assert.Equal(t, store.Canceled, canceled.State)
	})
	t.Run("release", func(t *testing.T) {
		session := join(t, s, time.Minute)
		id := tried(t, session)
		require.NoError(t, session.Release(t.Context(), claim(t, session, 1)[0].Ref, 0))
		_, err := s.Cancel(t.Context(), id)
		require.NoError(t, err)
	})
	t.Run("recovery", func(t *testing.T) {
		session := join(t, s, 500*time.Millisecond)
		id := tried(t, session)
		require.Len(t, claim(t, session, 1), 1)
		eventually(t, "the lease has run out", func() bool {
			_, err := session.Claim(t.Context(), nil)
			return errors.Is(err, store.ErrLeaseLost)
		})
		taken, err := s.Reclaim(t.Context(), 10)
		require.NoError(t, err)
		assert.Equal(t, 1, taken)
		again, err := s.Get(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, store.Queued, again.State)
	})
}
