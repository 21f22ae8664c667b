//go:build !race

package worker_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// allocsPerAttempt is for the run and the context of its one write; the rest is the
// share of what is made once for all jobs of a claim.
const allocsPerAttempt = 2.5

// TestMemoryTakenPerAttempt measures the worker alone, with a store that allocates
// nothing but the list of a claim.
func TestMemoryTakenPerAttempt(t *testing.T) {
	const batch = 32
	jobs := &endlessStore{arrived: make(chan struct{})}
	ran := make(chan struct{}, batch)
	route := worker.Route{Timeout: time.Hour, Handle: func(ctx context.Context, _ store.Claim) worker.Report {
		_, ok := worker.FromContext(ctx)
		assert.True(t, ok)
		ran <- struct{}{}
		return worker.Report{}
	}}
	w, err := worker.New(worker.Config{
		Store: jobs, Queues: map[string]int{"default": batch}, Logger: slog.New(slog.DiscardHandler),
		Routes: func(string) (worker.Route, bool) { return route, true },
	})
	require.NoError(t, err)
	require.NoError(t, w.Start(t.Context()))
	perBatch := testing.AllocsPerRun(500, func() {
		jobs.add(batch)
		for range batch {
			<-ran
		}
	})
	assert.LessOrEqual(t, perBatch/batch, allocsPerAttempt)
	require.NoError(t, w.Shutdown(t.Context()))
}

// endlessStore is a store, and its only session, that has as many jobs as it is told to.
type endlessStore struct {
	store.Workers
	store.Session
	waiting, claims atomic.Int64
	arrived         chan struct{}
}

// add lets that many jobs wait, once nobody claims any more.
func (s *endlessStore) add(n int64) {
	s.waiting.Store(n)
	s.arrived <- struct{}{}
}

func (s *endlessStore) Join(context.Context, string, time.Duration) (store.Session, error) {
	return s, nil
}

func (s *endlessStore) Reclaim(context.Context, int) (int, error) { return 0, nil }

func (s *endlessStore) Claim(_ context.Context, want []store.Want) (store.Batch, error) {
	batch := store.Batch{NextDue: -1}
	n := min(s.waiting.Load(), int64(want[0].Max))
	if n == 0 {
		return batch, nil
	}
	batch.Claims = make([]store.Claim, n)
	for i := range batch.Claims {
		batch.Claims[i] = store.Claim{
			Ref: store.Ref{ID: "job", Claim: s.claims.Add(1)},
			Job: store.Job{ID: "job", Queue: "default", Route: "route", Attempt: 1, MaxAttempts: 1},
		}
	}
	s.waiting.Add(-n)
	return batch, nil
}

func (s *endlessStore) Settle(context.Context, store.Ref, store.Outcome) (store.State, error) {
	return store.Completed, nil
}

func (s *endlessStore) Renew(context.Context) (store.Renewal, error) { return store.Renewal{}, nil }
func (s *endlessStore) Leave(context.Context) error                  { return nil }
func (s *endlessStore) Arrived() <-chan struct{}                     { return s.arrived }
func (s *endlessStore) StopAsked() <-chan struct{}                   { return nil }
