//go:build !race

package ginasync

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store/memstore"
)

// The budgets of the hot paths in allocations, the making of the request (8) and what
// Gin and the handler take included. Whoever needs more has to say here what for.
const (
	allocsPerSubmission = 23
	allocsPerAttempt    = 33
	allocsPerJob        = allocsPerSubmission + allocsPerAttempt + 8 // store and worker
)

func TestMemoryTakenPerSubmission(t *testing.T) {
	s := openShop(t, answering(), WithStore(sink{}), WithoutWorkers())
	var w blankWriter
	assert.LessOrEqual(t, testing.AllocsPerRun(500, func() { s.submit(t, &w) }), float64(allocsPerSubmission))
}

func TestMemoryTakenPerAttempt(t *testing.T) {
	s := openShop(t, answering(), WithStore(sink{}), WithoutWorkers())
	claim := s.claim(t)
	route, ok := s.manager.workerRoute(claim.Job.Route)
	require.True(t, ok)
	ctx := t.Context()
	assert.LessOrEqual(t, testing.AllocsPerRun(500, func() { route.Handle(ctx, claim) }), float64(allocsPerAttempt))
}

// TestMemoryTakenPerJob takes batches of jobs through all parts.
func TestMemoryTakenPerJob(t *testing.T) {
	const batch = 64
	s := openShop(t, answering(), WithStore(memstore.New(memstore.WithMaxFinished(batch))), WithConcurrency(batch))
	var w blankWriter
	run := func() {
		for range batch {
			s.submit(t, &w)
		}
		for waiting := true; waiting; {
			runtime.Gosched() // there is one processor now
			stats, err := s.manager.store.Stats(t.Context())
			require.NoError(t, err)
			waiting = stats.Queued+stats.InProgress > 0
		}
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(50, run)/batch, float64(allocsPerJob))
}
