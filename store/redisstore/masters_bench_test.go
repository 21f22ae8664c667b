package redisstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// BenchmarkMasters takes jobs through their life, 128 at once, in Clusters of 1, 2 and 3
// masters, each with a replica, and 6 partitions. What the busiest master spends on a job
// of them all says how many jobs a Cluster carries in which each has a processor.
func BenchmarkMasters(b *testing.B) {
	for masters := 1; masters <= 3; masters++ {
		b.Run(fmt.Sprint(masters), func(b *testing.B) {
			cluster := redistest.StartCluster(b, masters)
			s := redisstore.New(cluster.Client(b), redisstore.WithPartitions(6))
			session, err := s.Join(b.Context(), "worker", time.Minute)
			require.NoError(b, err)
			nodes := cluster.Nodes()[:masters]
			before := make([]time.Duration, masters)
			for i, node := range nodes {
				before[i] = node.CPUTime(b)
			}
			ours := processTime(b)
			b.ResetTimer()
			pump(b, s, session, 128)
			b.StopTimer()
			var busiest, all time.Duration
			for i, node := range nodes {
				spent := node.CPUTime(b) - before[i]
				busiest, all = max(busiest, spent), all+spent
			}
			perJob := func(d time.Duration) float64 { return d.Seconds() * 1e6 / float64(b.N) }
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
			b.ReportMetric(perJob(processTime(b)-ours), "client-µs/job")
			b.ReportMetric(perJob(all), "redis-µs/job")
			b.ReportMetric(perJob(busiest), "busiest-µs/job")
			require.NoError(b, session.Leave(context.WithoutCancel(b.Context())))
		})
	}
}
