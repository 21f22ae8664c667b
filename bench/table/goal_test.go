package table_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/bench/table"
)

// line has the values of one round for each argument.
func line(ours, asynq []float64) *table.Line {
	return &table.Line{Values: map[table.Column][]float64{table.Ours: ours, table.Asynq: asynq}}
}

func TestGoalMet(t *testing.T) {
	for name, c := range map[string]struct {
		goal table.Goal
		line *table.Line
		want bool
	}{
		"no goal is met by nothing":            {table.Goal{}, &table.Line{}, true},
		"at least: exactly":                    {table.AtLeast(5), line([]float64{5}, nil), true},
		"at least: less":                       {table.AtLeast(5), line([]float64{4.99}, nil), false},
		"at most: exactly":                     {table.AtMost(5), line([]float64{5}, nil), true},
		"at most: more":                        {table.AtMost(5), line([]float64{5.01}, nil), false},
		"the median counts":                    {table.AtMost(5), line([]float64{1, 5, 100}, nil), true},
		"at most: not measured":                {table.AtMost(5), &table.Line{}, false},
		"at least: not measured":               {table.AtLeast(5), &table.Line{}, false},
		"times a peer: exactly":                {table.TimesAtLeast(10, table.Asynq), line([]float64{50}, []float64{5}), true},
		"times a peer: less":                   {table.TimesAtLeast(10, table.Asynq), line([]float64{49}, []float64{5}), false},
		"times a peer: peer not measured":      {table.TimesAtLeast(10, table.Asynq), line([]float64{50}, nil), false},
		"times a peer: peer did nothing":       {table.TimesAtLeast(10, table.Asynq), line([]float64{50}, []float64{0}), false},
		"times a peer: compared in each round": {table.TimesAtLeast(2, table.Asynq), line([]float64{10, 100, 1000}, []float64{5, 50, 500}), true},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, c.goal.Met(c.line)) })
	}
}

func TestGoalString(t *testing.T) {
	for want, goal := range map[string]table.Goal{
		"":               {},
		"≤ 1 100":        table.AtMost(1100),
		"≥ 300 000":      table.AtLeast(300_000),
		"≥ 10× asynq":    table.TimesAtLeast(10, table.Asynq),
		"≥ 0.9× ceiling": table.TimesAtLeast(0.9, table.Ceiling),
	} {
		require.Equal(t, want, goal.String())
	}
}

func TestRatioIsTheMedianOfTheRounds(t *testing.T) {
	// Medians alone would say 10/2 = 5: in each round it was 2 or 10.
	l := line([]float64{4, 10, 20}, []float64{2, 1, 10})
	require.InDelta(t, 2, l.Ratio(table.Asynq), 0)
}

func TestARoundThatFailed(t *testing.T) {
	l := &table.Line{}
	l.Add(table.Ours, 10, nil)
	l.Add(table.Ours, 0, errors.New("no"))
	l.Add(table.Ours, 30, nil)
	l.Add(table.Asynq, 1, nil)
	l.Add(table.Asynq, 1, nil)
	l.Add(table.Asynq, 3, nil)
	require.InDelta(t, 20, l.Median(table.Ours), 0, "the other rounds count")
	require.InDelta(t, 10, l.Ratio(table.Asynq), 0, "rounds are compared with their own")
	require.True(t, l.Failed(), "it is told")
}
