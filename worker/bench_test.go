package worker_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/asyncendpoints/gin-async/worker"
)

// BenchmarkWorker measures jobs from their creation in a memory store to their
// kept result, with at most 4096 of them unfinished.
func BenchmarkWorker(b *testing.B) {
	for _, slots := range []int{1, 16, 256} {
		for name, timeout := range map[string]time.Duration{"none": 0, "30m": 30 * time.Minute} {
			b.Run(fmt.Sprintf("slots:%d/timeout:%s", slots, name), func(b *testing.B) {
				benchmarkWorker(b, slots, timeout)
			})
		}
	}
}

func benchmarkWorker(b *testing.B, slots int, timeout time.Duration) {
	unfinished := make(chan struct{}, 4096)
	result := &store.Result{Response: store.Response{Status: 200, Bytes: 128}, Data: make([]byte, 128)}
	route := worker.Route{Timeout: timeout, Handle: func(context.Context, store.Claim) worker.Report {
		<-unfinished
		return worker.Report{Result: result}
	}}
	jobs := memstore.New()
	w, err := worker.New(worker.Config{
		Store:  jobs,
		Queues: map[string]int{"default": slots},
		Routes: func(string) (worker.Route, bool) { return route, true },
		Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(b, err)
	require.NoError(b, w.Start(b.Context()))
	job := store.NewJob{
		Route: "route", Queue: "default", MaxAttempts: 4, Retention: time.Hour, Request: make([]byte, 512),
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		unfinished <- struct{}{}
		_, _, err := jobs.Create(b.Context(), job)
		require.NoError(b, err)
		n++
	}
	for range cap(unfinished) {
		unfinished <- struct{}{}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "jobs/s")
	require.NoError(b, w.Shutdown(context.Background()))
}

func BenchmarkBackoffDelay(b *testing.B) {
	policy := worker.DefaultBackoff()
	b.ReportAllocs()
	for b.Loop() {
		policy.Delay(5)
	}
}
