package table_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/bench/table"
)

func example() *table.Table {
	speed := &table.Line{Row: "jobs/gin/32", Unit: "jobs/s", Goal: table.TimesAtLeast(10, table.Asynq)}
	speed.Add(table.Ours, 43_210, nil)
	speed.Add(table.Asynq, 4321, nil)
	cost := &table.Line{Row: "cpu", Unit: "µs/job", Goal: table.AtMost(40)}
	cost.Add(table.Ours, 63.25, nil)
	cost.Add(table.Asynq, 0, errors.New("it broke"))
	plain := &table.Line{Row: "trips", Unit: "calls/job"}
	plain.Add(table.Ours, 0.0654, nil)
	return &table.Table{Lines: []*table.Line{speed, cost, plain}}
}

func TestText(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, example().Write(&out))
	require.Equal(t, strings.TrimPrefix(`
row          unit       gin-async   asynq  machinery  ceiling  × asynq  × ceiling  goal
jobs/gin/32  jobs/s        43 210   4 321          -        -       10          -  ≥ 10× asynq  met
cpu          µs/job          63.2  failed          -        -        -          -  ≤ 40         MISSED
trips        calls/job      0.065       -          -        -        -          -
! cpu, asynq: it broke
`, "\n"), out.String())
}

func TestSummary(t *testing.T) {
	t.Run("counts goals and names those that are missed", func(t *testing.T) {
		s := example().Summary()
		require.False(t, s.OK())
		require.Equal(t, "goals: 1 met, 1 missed (cpu), in 1m5s", s.Text(65*time.Second+time.Millisecond))
	})
	t.Run("a row that could not be measured is not OK, with or without a goal", func(t *testing.T) {
		l := &table.Line{Row: "trips"}
		l.Add(table.Ours, 0, errors.New("no"))
		s := (&table.Table{Lines: []*table.Line{l}}).Summary()
		require.False(t, s.OK())
		require.Equal(t, "goals: 0 met, 0 missed, 1 rows failed (trips), in 0s", s.Text(0))
	})
	t.Run("a peer that could not be measured does no harm where no goal is about it", func(t *testing.T) {
		l := &table.Line{Row: "trips", Goal: table.AtMost(1)}
		l.Add(table.Ours, 1, nil)
		l.Add(table.Asynq, 0, errors.New("no"))
		require.True(t, (&table.Table{Lines: []*table.Line{l}}).Summary().OK())
	})
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, example().WriteJSON(&out, table.Machine{Cores: 2}, 3*time.Second))
	var read struct {
		Machine struct{ Cores int }
		Rows    []struct {
			Row     string
			Met     *bool
			Columns map[string]struct {
				Median *float64
				Rounds []*float64
				Ratio  *float64
				Error  string
			}
		}
		Summary struct{ Met int }
		Seconds float64
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &read))
	require.Equal(t, 2, read.Machine.Cores)
	require.InDelta(t, 3, read.Seconds, 0)
	require.Equal(t, 1, read.Summary.Met)
	require.Len(t, read.Rows, 3)
	require.True(t, *read.Rows[0].Met)
	require.InDelta(t, 10, *read.Rows[0].Columns["asynq"].Ratio, 0)
	require.False(t, *read.Rows[1].Met)
	require.Nil(t, read.Rows[1].Columns["asynq"].Rounds[0], "a round that failed is null")
	require.Equal(t, "it broke", read.Rows[1].Columns["asynq"].Error)
	require.Nil(t, read.Rows[2].Met, "no goal")
}
