package redisstore_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// BenchmarkSubmitClaimSettle takes a job with a request of 512 bytes and a result of
// 128 through its life, as many at once as its name says.
func BenchmarkSubmitClaimSettle(b *testing.B) {
	client := connect(b, redistest.Shared(b))
	for _, width := range []int{1, 32, 128} {
		b.Run(fmt.Sprint("width ", width), func(b *testing.B) {
			s := redisstore.New(client, redisstore.WithPrefix(prefix(b)))
			session, err := s.Join(b.Context(), "worker", time.Minute)
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, session.Leave(context.WithoutCancel(b.Context()))) })
			b.ReportAllocs()
			ours, its := processTime(b), serverTime(b, client)
			pump(b, s, session, width)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
			b.ReportMetric((processTime(b)-ours).Seconds()*1e6/float64(b.N), "client-µs/job")
			b.ReportMetric((serverTime(b, client)-its).Seconds()*1e6/float64(b.N), "redis-µs/job")
		})
	}
}

// processTime is the CPU time of this process.
func processTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// serverTime is the CPU time of the server.
func serverTime(b *testing.B, client *redis.Client) time.Duration {
	b.Helper()
	info, err := client.Info(b.Context(), "cpu").Result()
	require.NoError(b, err)
	total := 0.0
	for _, name := range []string{"used_cpu_sys:", "used_cpu_user:"} {
		_, rest, _ := strings.Cut(info, name)
		number, _, _ := strings.Cut(rest, "\r\n")
		seconds, err := strconv.ParseFloat(number, 64)
		require.NoError(b, err)
		total += seconds
	}
	return time.Duration(total * float64(time.Second))
}

// pump lets width producers create b.N jobs and width workers settle them.
func pump(b *testing.B, s *redisstore.Store, session store.Session, width int) {
	b.Helper()
	job := store.NewJob{
		Route: "POST /reports/:year", Queue: "default", MaxAttempts: 4, Retention: time.Minute,
		Request: make([]byte, 480), Envelope: make([]byte, 32),
	}
	outcome := store.Complete(store.Result{Data: make([]byte, 128), Response: store.Response{Status: 200, ContentType: "application/json", Bytes: 64}})
	slots := make(chan struct{}, width)
	var created atomic.Int64
	var all sync.WaitGroup
	for range width {
		all.Go(func() {
			for created.Add(1) <= int64(b.N) {
				if _, _, err := s.Create(b.Context(), job); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	settled := 0
	done := make(chan int, width)
	for settled < b.N {
		for free := true; free && len(slots) < width; {
			batch, err := session.Claim(b.Context(), []store.Want{{Queue: "default", Max: width - len(slots)}})
			if err != nil {
				b.Error(err)
				return
			}
			for _, c := range batch.Claims {
				slots <- struct{}{}
				all.Go(func() {
					if _, err := session.Settle(b.Context(), c.Ref, outcome); err != nil {
						b.Error(err)
					}
					<-slots
					done <- 1
				})
			}
			free = len(batch.Claims) > 0
		}
		select {
		case <-session.Arrived():
		case <-time.After(time.Second): // a hint may be lost, as workers know
		case n := <-done:
			settled += n
			for len(done) > 0 {
				settled += <-done
			}
		}
	}
	all.Wait()
}
