package worker_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// TestStartStopStress starts and stops workers from many goroutines, in real time,
// while jobs run. Each job must be run to its end, once each as no lease is lost.
func TestStartStopStress(t *testing.T) {
	b := newBench(t)
	var mu sync.Mutex
	runs := map[string]int{}
	cfg := b.config(func(ctx context.Context, claim store.Claim) worker.Report {
		if attempt, _ := worker.FromContext(ctx); len(claim.Request) > 0 {
			_ = attempt.Progress(ctx, 50, "half")
		}
		mu.Lock()
		defer mu.Unlock()
		runs[claim.Ref.ID]++
		return worker.Report{}
	})
	var ids []string
	for range 50 {
		for range 20 {
			ids = append(ids, b.job(func(j *store.NewJob) { j.Request = []byte("x") }))
		}
		w, err := worker.New(cfg)
		require.NoError(t, err)
		var crowd sync.WaitGroup
		for i := range 8 {
			crowd.Go(func() {
				if i%2 == 0 {
					_ = w.Start(t.Context())
				} else {
					assert.NoError(t, w.Shutdown(t.Context()))
				}
			})
		}
		crowd.Wait()
		require.NoError(t, w.Shutdown(t.Context()))
	}
	b.start(cfg)
	require.Eventually(t, func() bool {
		stats, err := b.jobs.Stats(t.Context())
		return err == nil && stats.Finished == len(ids)
	}, 10*time.Second, time.Millisecond)
	for _, id := range ids {
		job := b.get(id)
		assert.Equal(t, store.Completed, job.State)
		assert.Equal(t, 1, job.Attempt)
	}
	mu.Lock()
	defer mu.Unlock()
	for id, n := range runs {
		assert.Equal(t, 1, n, id)
	}
}
