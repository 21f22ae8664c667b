package table_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/bench/table"
)

func TestMedian(t *testing.T) {
	for name, c := range map[string]struct {
		values []float64
		want   float64
	}{
		"one value":                             {[]float64{7}, 7},
		"the middle of an odd number":           {[]float64{9, 1, 5}, 5},
		"the mean of both middles of an even":   {[]float64{1, 9, 3, 5}, 4},
		"an outlier does not move it":           {[]float64{1, 2, 1000}, 2},
		"negative values are sorted as numbers": {[]float64{-1, -10, -5}, -5},
	} {
		t.Run(name, func(t *testing.T) {
			before := append([]float64(nil), c.values...)
			require.InDelta(t, c.want, table.Median(c.values), 0)
			require.Equal(t, before, c.values, "the values were moved")
		})
	}
	t.Run("there is none of nothing", func(t *testing.T) {
		require.True(t, math.IsNaN(table.Median(nil)))
	})
}

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for name, c := range map[string]struct {
		values  []float64
		p, want float64
	}{
		"half of a hundred":                      {hundred, 50, 50},
		"99 of a hundred":                        {hundred, 99, 99},
		"all of a hundred is the greatest":       {hundred, 100, 100},
		"none of a hundred is the least":         {hundred, 0, 1},
		"99 of few is the greatest":              {[]float64{3, 1, 2}, 99, 3},
		"a value is chosen, none is made up":     {[]float64{1, 10}, 50, 1},
		"what does not divide goes to the next":  {[]float64{1, 2, 3}, 34, 2},
		"one value is every percentile of it":    {[]float64{4}, 1, 4},
		"a percentile above 100 is the greatest": {[]float64{1, 2}, 120, 2},
	} {
		t.Run(name, func(t *testing.T) {
			require.InDelta(t, c.want, table.Percentile(c.values, c.p), 0)
		})
	}
	t.Run("there is none of nothing", func(t *testing.T) {
		require.True(t, math.IsNaN(table.Percentile(nil, 50)))
	})
}
