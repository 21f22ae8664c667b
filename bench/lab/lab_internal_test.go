package lab

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOnce(t *testing.T) {
	l := &Lab{known: make(map[string]any)}
	measured := 0
	measure := func() (int, error) {
		measured++
		return measured, errors.New("broken")
	}
	for range 2 {
		value, err := Once(l, "it", measure)
		require.Equal(t, 1, value, "it is measured once in a round")
		require.EqualError(t, err, "broken", "and fails once")
	}
	other, _ := Once(l, "other", measure)
	require.Equal(t, 2, other, "another one is measured by itself")
	l.NextRound()
	value, _ := Once(l, "it", measure)
	require.Equal(t, 3, value, "in the next round it is measured again")
}

func TestFlowIsTheDifferenceOfTwoReadings(t *testing.T) {
	start := time.Now()
	before := Reading{At: start, Kept: 10, Calls: 1, CPU: time.Second, RedisCPU: time.Millisecond, RedisCommands: 5}
	after := Reading{At: start.Add(2 * time.Second), Kept: 110, Calls: 4, CPU: 3 * time.Second, RedisCPU: 4 * time.Millisecond, RedisCommands: 25}
	require.Equal(t, Flow{
		Took: 2 * time.Second, Jobs: 100, Calls: 3, CPU: 2 * time.Second, RedisCPU: 3 * time.Millisecond, RedisCommands: 20,
	}, before.until(after))
}

func TestDefaultPlanIsValid(t *testing.T) {
	require.NoError(t, Default().Validate())
}

func TestAllMistakesOfAPlanAreTold(t *testing.T) {
	plan := Default()
	plan.Jobs, plan.Gap, plan.Backlog, plan.Processes = 0, 0, nil, []int{1, -1}
	err := plan.Validate()
	for _, flag := range []string{"-n ", "-gap ", "-backlog ", "-processes"} {
		require.ErrorContains(t, err, flag)
	}
}
