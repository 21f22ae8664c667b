package ginasync_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWithMaxQueuedPerOwner(t *testing.T) {
	routes := func(r *gin.Engine) {
		plainRoute(r)
		r.POST("/later", ginasync.Async(text("done"), ginasync.Delay(time.Hour)))
	}

	t.Run("answers 429 with Retry-After to an owner who has enough, and to no other", func(t *testing.T) {
		a := newApp(t, routes, ginasync.WithoutWorkers(), ginasync.WithOwner(byUser), ginasync.WithMaxQueuedPerOwner(2))
		id := a.submit("/x", "", "User", "ann")
		a.submit("/later", "", "User", "ann")
		got := a.post("/x", "", "User", "ann")
		assert.Equal(t, http.StatusTooManyRequests, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#too-many-jobs")
		assert.Equal(t, "10", got.Header.Get("Retry-After"))
		a.submit("/x", "", "User", "bob")

		_, err := a.jobs.Cancel(t.Context(), id)
		require.NoError(t, err)
		a.submit("/x", "", "User", "ann")
		assert.Equal(t, http.StatusTooManyRequests, a.post("/later", "", "User", "ann").StatusCode)
		assert.Equal(t, 4, jobsOf(t, a.store), "what was refused was not stored")
	})

	t.Run("does not refuse the repetition of a request, and leaves the key of a refused one free", func(t *testing.T) {
		a := newApp(t, routes, ginasync.WithoutWorkers(), ginasync.WithOwner(byUser), ginasync.WithMaxQueuedPerOwner(1))
		id := a.submit("/x", "", "User", "ann", "Idempotency-Key", "one")
		assert.Equal(t, id, a.submit("/x", "", "User", "ann", "Idempotency-Key", "one"))
		assert.Equal(t, http.StatusTooManyRequests, a.post("/x", "1", "User", "ann", "Idempotency-Key", "two").StatusCode)
		_, err := a.jobs.Cancel(t.Context(), id)
		require.NoError(t, err)
		a.submit("/x", "2", "User", "ann", "Idempotency-Key", "two")
	})

	t.Run("counts waiting jobs, not running ones", func(t *testing.T) {
		release := make(chan struct{})
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(func(*gin.Context) { <-release })) },
			ginasync.WithOwner(byUser), ginasync.WithMaxQueuedPerOwner(1), ginasync.WithConcurrency(1))
		t.Cleanup(func() { close(release) }) // before the application ends
		running := a.submit("/x", "", "User", "ann")
		a.await(running, func(j ginasync.Job) bool { return j.Attempt == 1 })
		a.submit("/x", "", "User", "ann")
		assert.Equal(t, http.StatusTooManyRequests, a.post("/x", "", "User", "ann").StatusCode)
	})

	t.Run("needs WithOwner", func(t *testing.T) {
		_, err := ginasync.New(gin.New(), ginasync.WithMaxQueuedPerOwner(1))
		require.ErrorContains(t, err, "WithMaxQueuedPerOwner needs WithOwner")
		_, err = ginasync.New(gin.New(), ginasync.WithOwner(byUser), ginasync.WithMaxQueuedPerOwner(0))
		require.ErrorContains(t, err, "WithMaxQueuedPerOwner must be at least 1, not 0")
	})
}
