package rows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/table"
)

// fixed is a scale whose flows are given by size.
func fixed(flows map[int]lab.Flow, sizes ...int) map[string]Row {
	s := scale{name: "s", sizes: sizes, measure: func(_ context.Context, _ *lab.Lab, _ contestant.Kind, size int) (lab.Flow, error) {
		return flows[size], nil
	}}
	rows := make(map[string]Row)
	for _, row := range s.rows() {
		rows[row.Name] = row
	}
	return rows
}

func flowAt(jobs float64, cpu time.Duration) lab.Flow {
	return lab.Flow{Took: time.Second, Jobs: jobs, CPU: cpu, RedisCPU: cpu}
}

func TestScaleComparesTheWorstSizeWithTheFirst(t *testing.T) {
	rows := fixed(map[int]lab.Flow{
		1: flowAt(1000, time.Second), 2: flowAt(700, 770*time.Millisecond), 4: flowAt(900, 810*time.Millisecond),
	}, 1, 2, 4)
	value := func(name string) float64 {
		l := new(lab.Lab)
		l.NextRound()
		v, err := rows[name].Measure[table.Ours](t.Context(), l)
		require.NoError(t, err)
		return v
	}
	require.InDelta(t, 1000, value("s/jobs/1"), 1e-9)
	require.InDelta(t, 700, value("s/jobs/2"), 1e-9)
	require.InDelta(t, 2000, value("s/cpu/1"), 1e-9, "µs of both in a job")
	require.InDelta(t, 30, value("s/jobs-fall"), 1e-9)
	require.InDelta(t, 10, value("s/cpu-rise"), 1e-9)
}

func TestOneSizeHasNothingToCompare(t *testing.T) {
	require.NotContains(t, fixed(nil, 1), "s/jobs-fall")
}
