package redisstore_test

import (
	"errors"
	"math"
	"runtime"
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

// Between the moment when recovery trims the indexes and the one when Redis removes the
// record there may be a while: a clock can be set back.
func TestAJobWhoseTimeIsOverIsNotThere(t *testing.T) {
	client := redistest.Start(t).Client(t)
	s := redisstore.New(client)
	session := join(t, s, time.Minute)
	keyed := func(j *store.NewJob) { j.Key, j.Fingerprint = "key "+j.Route, "f" }
	over := func(t *testing.T, outcome store.Outcome) string {
		t.Helper()
		id := create(t, s, keyed).ID
		_, err := session.Settle(t.Context(), claim(t, session, 1)[0].Ref, outcome)
		require.NoError(t, err)
		require.EqualValues(t, 1, client.Del(t.Context(), "ginasync:{a}:expiry").Val())
		return id
	}
	for name, outcome := range map[string]store.Outcome{"completed": answer, "failed": store.Fail(refusal, nil)} {
		t.Run(name, func(t *testing.T) {
			id := over(t, outcome)
			_, err := s.Get(t.Context(), id)
			require.ErrorIs(t, err, store.ErrNotFound)
			_, err = s.Retry(t.Context(), id, 1)
			require.ErrorIs(t, err, store.ErrNotFound)
			again := create(t, s, keyed)
			assert.NotEqual(t, id, again.ID)
			require.Len(t, claim(t, session, 1), 1)
			require.ErrorIs(t, s.Delete(t.Context(), id), store.ErrNotFound)
			assert.Equal(t, again.ID, create(t, s, keyed).ID, "it holds the key")
		})
		require.NoError(t, client.FlushAll(t.Context()).Err())
		session = join(t, s, time.Minute)
	}
}

func TestNoNumberOfAttemptsIsTooLarge(t *testing.T) {
	s := redisstore.New(redistest.Start(t).Client(t))
	session := join(t, s, time.Minute)
	for _, attempts := range []int{math.MaxInt32, math.MaxInt32 + 1, math.MaxInt} {
		id := create(t, s).ID
		_, err := session.Settle(t.Context(), claim(t, session, 1)[0].Ref, store.Fail(refusal, nil))
		require.NoError(t, err)
		again, err := s.Retry(t.Context(), id, attempts)
		require.NoError(t, err)
		assert.Greater(t, again.MaxAttempts, math.MaxInt32/2)
		_, err = s.Cancel(t.Context(), id)
		require.NoError(t, err)
	}
}

func TestARepeatedCreateDoesNotKeepItsJobFromBeingTakenBack(t *testing.T) {
	client := redistest.Start(t).Client(t)
	client.AddHook(twice{})
	s := redisstore.New(client, redisstore.WithReplicas(1, time.Millisecond))
	_, _, err := s.Create(t.Context(), store.NewJob{Route: "r", Queue: "default", Key: "key", Fingerprint: "f"})
	require.ErrorIs(t, err, redisstore.ErrNotReplicated)
	assert.ErrorContains(t, err, "was taken back")
}

func TestWhoKeepsAClaimedJobKeepsItsRequestOnce(t *testing.T) {
	const size, jobs = 4 << 20, 4
	s := redisstore.New(redistest.Start(t).Client(t))
	session := join(t, s, time.Minute)
	heap := func() int {
		runtime.GC()
		runtime.GC() // what was in pools
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int(stats.HeapAlloc)
	}
	for range jobs {
		create(t, s, func(j *store.NewJob) { j.Request = make([]byte, size) })
	}
	before := heap()
	var kept []store.Job
	for range jobs {
		kept = append(kept, claim(t, session, 1)[0].Job)
	}
	assert.Less(t, heap()-before, jobs*size/2)
	runtime.KeepAlive(kept)
}
