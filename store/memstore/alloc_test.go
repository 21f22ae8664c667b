//go:build !race

package memstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

// A job of a full store costs memory for its id, its payload and its result, and
// for the claim with its copy of the payload; the rest is used again.
const allocsPerJob = 6

func TestMemoryTakenPerJob(t *testing.T) {
	const kept = 500
	s := memstore.New(memstore.WithMaxFinished(kept))
	session := join(t, s, time.Hour)
	job := store.NewJob{Queue: queueName, MaxAttempts: 1, Retention: time.Hour, Request: make([]byte, 512)}
	want := []store.Want{{Queue: queueName, Max: 1}}
	result := store.Result{Data: make([]byte, 128)}
	ctx := t.Context()
	run := func() {
		_, _, err := s.Create(ctx, job)
		require.NoError(t, err)
		batch, err := session.Claim(ctx, want)
		require.NoError(t, err)
		_, err = session.Settle(ctx, batch.Claims[0].Ref, store.Complete(result))
		require.NoError(t, err)
	}
	for range 2 * kept {
		run()
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(2000, run), float64(allocsPerJob))
}
