package ginasync_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A cache may keep a 200, a 404, a 410 and others that say nothing about it (RFC 9110
// §15.1), and show one client what is another's, or what no longer is.
func TestEveryAnswerSaysThatItMustNotBeReused(t *testing.T) {
	r := gin.New()
	r.Any("/x", ginasync.Async(text("0123456789"), ginasync.MaxBody(100)))
	r.POST("/later", ginasync.Async(text(""), ginasync.Delay(time.Hour)))
	r.POST("/gone", ginasync.Async(func(c *gin.Context) { c.Status(http.StatusGone) }))
	r.POST("/panics", ginasync.Async(func(*gin.Context) { panic("") }, ginasync.MaxAttempts(1)))
	a := startApp(t, r, memstore.New(), ginasync.WithOwner(func(*gin.Context) string { return "everybody" }))
	r.POST("/late", ginasync.Async(text("")))
	finished := func(path string) string {
		id := a.submit(path, "")
		a.finish(id)
		return "/jobs/" + id
	}
	later, done, gone, panicked := "/jobs/"+a.submit("/later", ""), finished("/x"), finished("/gone"), finished("/panics")
	removed := "/jobs/" + store.NewID('a')

	for _, test := range []struct {
		status       int
		method, path string
		header       []string
	}{
		{202, http.MethodPost, "/x", nil},
		{200, http.MethodPost, "/x", []string{"Prefer", "wait=10"}},
		{410, http.MethodPost, "/gone", []string{"Prefer", "wait=10"}},
		{204, http.MethodOptions, "/x", nil},
		{405, http.MethodHead, "/x", nil},
		{400, http.MethodPost, "/x", []string{"Connection", "Upgrade", "Upgrade", "websocket"}},
		{500, http.MethodPost, "/late", nil},
		{200, http.MethodGet, later, nil},
		{200, http.MethodHead, done, nil},
		{304, http.MethodGet, later, []string{"If-None-Match", "*"}},
		{404, http.MethodGet, removed, nil},
		{404, http.MethodGet, "/jobs/nonsense", nil},
		{200, http.MethodGet, done + "/result", nil},
		{206, http.MethodGet, done + "/result", []string{"Range", "bytes=0-3"}},
		{416, http.MethodGet, done + "/result", []string{"Range", "bytes=100-"}},
		{200, http.MethodGet, done + "/result?envelope=1", nil},
		{410, http.MethodGet, gone + "/result", nil},
		{500, http.MethodGet, panicked + "/result", nil},
		{409, http.MethodGet, later + "/result", nil},
		{404, http.MethodGet, removed + "/result", nil},
		{200, http.MethodGet, done + "/events", nil},
		{204, http.MethodGet, done + "/events", []string{"Last-Event-ID", "99"}},
		{406, http.MethodGet, done + "/events", []string{"Accept", "application/json"}},
		{404, http.MethodGet, removed + "/events", nil},
		{409, http.MethodPost, done + "/cancel", nil},
		{200, http.MethodPost, later + "/cancel", nil},
		{409, http.MethodGet, later + "/result", nil},
		{404, http.MethodPost, removed + "/cancel", nil},
		{409, http.MethodPost, done + "/retry", nil},
		{202, http.MethodPost, gone + "/retry", nil},
		{404, http.MethodPost, removed + "/retry", nil},
		{204, http.MethodDelete, done, nil},
		{404, http.MethodDelete, done, nil},
		{200, http.MethodGet, "/jobs", nil},
		{400, http.MethodGet, "/jobs?state=nonsense", nil},
	} {
		got := a.do(test.method, test.path, nil, test.header...)
		name := test.method + " " + test.path
		require.Equal(t, test.status, got.StatusCode, "%s: %s", name, got.body)
		assert.Regexp(t, "no-store|no-cache", got.Header.Get("Cache-Control"), name)
		assert.Len(t, got.Header["Cache-Control"], 1, name)
	}
}
