package store_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/asyncendpoints/gin-async/store"
)

// reachable repeats the state machine as the documentation draws it, so that a
// slip in the table of the package does not go unseen.
var reachable = map[store.State][]store.State{
	store.Queued:     {store.InProgress, store.Canceled},
	store.Scheduled:  {store.Queued, store.Canceled},
	store.InProgress: {store.Completed, store.Failed, store.Scheduled, store.Queued, store.Canceled},
	store.Completed:  {},
	store.Failed:     {store.Queued},
	store.Canceled:   {},
}

func TestStates(t *testing.T) {
	t.Run("the table says of every pair whether it is a step", func(t *testing.T) {
		for _, from := range store.States() {
			for _, to := range store.States() {
				assert.Equal(t, contains(reachable[from], to), from.CanBecome(to), "%s to %s", from, to)
			}
		}
	})
	t.Run("every state is listed once", func(t *testing.T) {
		seen := map[store.State]bool{}
		for _, state := range store.States() {
			assert.False(t, seen[state], state)
			seen[state] = true
			assert.Contains(t, reachable, state)
		}
		assert.Len(t, seen, len(reachable))
	})
	t.Run("a terminal state has no way out but the retry of a failed job", func(t *testing.T) {
		for _, from := range store.States() {
			if !from.Terminal() {
				continue
			}
			for _, to := range store.States() {
				retry := from == store.Failed && to == store.Queued
				assert.Equal(t, retry, from.CanBecome(to), "%s to %s", from, to)
			}
		}
	})
	t.Run("a state that is not terminal can reach a terminal one", func(t *testing.T) {
		for _, from := range store.States() {
			if !from.Terminal() {
				assert.True(t, from.CanBecome(store.Canceled), from)
			}
		}
	})
	t.Run("what is no state is not valid and goes nowhere", func(t *testing.T) {
		for _, state := range store.States() {
			assert.True(t, state.Valid(), state)
			assert.False(t, store.State("").CanBecome(state))
			assert.False(t, state.CanBecome(""))
		}
		for _, text := range []store.State{"", "QUEUED", "queued ", "running"} {
			assert.False(t, text.Valid(), "%q", text)
			assert.False(t, text.Terminal(), "%q", text)
		}
	})
}

func contains(states []store.State, wanted store.State) bool {
	for _, state := range states {
		if state == wanted {
			return true
		}
	}
	return false
}
