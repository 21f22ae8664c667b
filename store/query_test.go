package store_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/asyncendpoints/gin-async/store"
)

func TestQueryPageSize(t *testing.T) {
	for limit, size := range map[int]int{-1: 50, 0: 50, 1: 1, 50: 50, 199: 199, 200: 200, 201: 200, 1 << 30: 200} {
		assert.Equal(t, size, store.Query{Limit: limit}.PageSize(), "limit %d", limit)
	}
}

func TestQueryMatches(t *testing.T) {
	job := store.Job{Owner: "alice", Route: "POST /reports", State: store.Queued}
	t.Run("a query without a filter has all jobs of the owner", func(t *testing.T) {
		assert.True(t, store.Query{Owner: "alice"}.Matches(&job))
		assert.True(t, store.Query{Owner: "alice", Cursor: "x", Limit: 3}.Matches(&job))
	})
	t.Run("the owner is compared exactly", func(t *testing.T) {
		assert.False(t, store.Query{}.Matches(&job))
		assert.False(t, store.Query{Owner: "Alice"}.Matches(&job))
		assert.True(t, store.Query{}.Matches(&store.Job{}))
	})
	t.Run("route and states both have to fit", func(t *testing.T) {
		both := store.Query{Owner: "alice", Route: job.Route, States: []store.State{store.Failed, store.Queued}}
		assert.True(t, both.Matches(&job))
		both.Route = "POST /thumbnails"
		assert.False(t, both.Matches(&job))
		assert.False(t, store.Query{Owner: "alice", States: []store.State{store.Failed}}.Matches(&job))
	})
}
