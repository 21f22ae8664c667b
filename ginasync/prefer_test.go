package ginasync_test

import (
	"net/http"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
)

func TestPrefer(t *testing.T) {
	t.Run("makes every answer of async and status routes vary", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				c.Header("Vary", "Accept")
				c.Header("Preference-Applied", "return=minimal")
			}, ginasync.MaxBody(3)))
		})
		id := a.submit("/x", "")
		a.finish(id)
		for _, got := range []answer{
			a.post("/x", "too large"), a.get("/jobs/" + id), a.get("/jobs/nonsense"), a.post("/jobs/"+id+"/cancel", ""),
			a.post("/jobs/"+id+"/retry", ""), a.get("/jobs/"+id, "If-None-Match", "*"), a.get("/jobs/nonsense/result"),
		} {
			assert.Equal(t, []string{"Prefer"}, got.Header.Values("Vary"), got.Request.URL.Path)
		}
		got := a.get("/jobs/" + id + "/result")
		assert.Equal(t, []string{"Prefer", "Accept"}, got.Header.Values("Vary"), "the handler's own stays")
		assert.Equal(t, []string{"return=minimal"}, got.Header.Values("Preference-Applied"))
	})

	t.Run("is never an error", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) })
		got := a.post("/x", "", "Prefer", `wait=abc, "`, "Prefer", "=;respond-async=no")
		assert.Equal(t, http.StatusAccepted, got.StatusCode)
		assert.Empty(t, got.Header.Values("Preference-Applied"), "nothing was understood")
		a.finish(got.status(t).ID)
	})

	t.Run("with respond-async is said to be applied", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) })
		got := a.post("/x", "", "Prefer", "Respond-Async")
		assert.Equal(t, "respond-async", got.Header.Get("Preference-Applied"))
		a.finish(got.status(t).ID)
	})
}
