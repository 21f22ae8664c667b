package ginasync_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// byUser makes the value of the header User the owner, as only a test may.
func byUser(c *gin.Context) string { return c.GetHeader("User") }

func TestWithOwner(t *testing.T) {
	t.Run("stores who sent the request, asked once", func(t *testing.T) {
		var asked atomic.Int32
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) },
			ginasync.WithoutWorkers(), ginasync.WithOwner(func(c *gin.Context) string {
				asked.Add(1)
				return byUser(c)
			}))
		job, err := a.jobs.Get(t.Context(), a.submit("/x", "", "User", "ann"))
		require.NoError(t, err)
		assert.Equal(t, "ann", job.Owner)
		assert.EqualValues(t, 1, asked.Load())
	})

	t.Run("refuses a submission that is nobody's", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) },
			ginasync.WithoutWorkers(), ginasync.WithOwner(byUser))
		got := a.post("/x", "body")
		assert.Equal(t, http.StatusForbidden, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#owner-unknown")
		stats, err := a.store.Stats(t.Context())
		require.NoError(t, err)
		assert.Equal(t, store.Stats{}, stats)
	})
}
