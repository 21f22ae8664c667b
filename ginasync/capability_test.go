package ginasync_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
)

// TestCapabilityMode is about a Manager without owners: ids are the secret.
func TestCapabilityMode(t *testing.T) {
	start := func(t *testing.T, opts ...ginasync.Option) (*app, string) {
		t.Helper()
		var logged bytes.Buffer
		a := startApp(t, gin.New(), memstore.New(), append(opts, ginasync.WithoutWorkers(),
			ginasync.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))...)
		return a, logged.String()
	}
	const secret = "ids are the secret"

	t.Run("is said once at start, has no list and keeps ids from other sites", func(t *testing.T) {
		a, logged := start(t)
		assert.Equal(t, 1, strings.Count(logged, secret), logged)
		id := jobIn(t, a.store, "", store.Queued)
		for _, path := range []string{"/jobs", "/jobs?state=queued"} {
			got := a.get(path)
			assert.Equal(t, http.StatusNotFound, got.StatusCode)
			assert.Equal(t, "404 page not found", string(got.body), "there is no such route")
		}
		for _, request := range idRequests() {
			for _, id := range []string{id, store.NewID('a')} {
				if request.method == http.MethodGet && request.path == "/events" {
					continue // it does not end
				}
				assert.Equal(t, "no-referrer", a.ask(request, id).Header.Get("Referrer-Policy"), request)
			}
		}
	})

	t.Run("is not there with owners", func(t *testing.T) {
		a, logged := start(t, ginasync.WithOwner(byUser))
		assert.NotContains(t, logged, secret)
		assert.Empty(t, a.get("/jobs", "User", "ann").Header.Get("Referrer-Policy"))
	})

	t.Run("leaves the policy to a handler that has one", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) { c.Header("Referrer-Policy", "same-origin") }))
		})
		assert.Equal(t, []string{"same-origin"}, a.run("/x", "").Header.Values("Referrer-Policy"))
	})
}
