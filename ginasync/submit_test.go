package ginasync_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSubmit(t *testing.T) {
	t.Run("answers 202 with the job's URL and its status document", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/reports/:year", ginasync.Async(text("done"))) })
		got := a.post("/reports/2026", "x")

		require.Equal(t, http.StatusAccepted, got.StatusCode)
		status := got.status(t)
		assert.Equal(t, "/jobs/"+status.ID, got.Header.Get("Location"))
		assert.Equal(t, got.Header.Get("Location"), got.Header.Get("Content-Location"))
		assert.Equal(t, "1", got.Header.Get("Retry-After"))
		assert.Equal(t, "no-store", got.Header.Get("Cache-Control"))
		assert.Equal(t, "Prefer", got.Header.Get("Vary"))
		assert.True(t, store.ValidID(status.ID))
		assert.Equal(t, store.Queued, status.State)
		assert.False(t, status.Done)
		assert.EqualValues(t, 1, status.Version)
		assert.Equal(t, "POST /reports/:year", status.Route)
		assert.Equal(t, "default", status.Queue)
		assert.Equal(t, 4, status.MaxAttempts)
		assert.NotNil(t, status.CreatedAt)
		assert.EqualValues(t, 1, status.RetryAfter)
		self := "/jobs/" + status.ID
		assert.Equal(t, ginasync.Links{Self: self, Result: self + "/result", Events: self + "/events", Cancel: self + "/cancel"}, status.Links)
		a.finish(status.ID)
	})

	t.Run("puts the base URL before every URL and never the Host header", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text("done"))) },
			ginasync.WithBaseURL("https://api.example.com/v2/"))
		got := a.post("/x", "", "X-Forwarded-Host", "evil.example")
		id := got.status(t).ID
		assert.Equal(t, "https://api.example.com/v2/jobs/"+id, got.Header.Get("Location"))
		assert.Equal(t, "https://api.example.com/v2/jobs/"+id+"/result", got.status(t).Links.Result)
		a.finish(id)
	})

	t.Run("refuses a body over the limit before reading it", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""), ginasync.MaxBody(10))) })
		conn := dial(t, a)
		// The announced body is never sent: only an answer given before reading comes.
		_, err := fmt.Fprint(conn, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n")
		require.NoError(t, err)
		got := readAnswer(t, conn)
		assert.Equal(t, http.StatusRequestEntityTooLarge, got.StatusCode)
		assert.Contains(t, got.problem(t).Detail, "10 bytes")
		assertNoJobs(t, a)
	})

	t.Run("refuses a body of unknown length once it is over the limit", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""), ginasync.MaxBody(10))) })
		got := a.do(http.MethodPost, "/x", io.MultiReader(strings.NewReader("12345678901")))
		assert.Equal(t, http.StatusRequestEntityTooLarge, got.StatusCode)
		assertNoJobs(t, a)
	})

	t.Run("takes a body of exactly the limit", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""), ginasync.MaxBody(10))) })
		a.finish(a.submit("/x", "1234567890"))
	})

	t.Run("answers a truncated body with 400 and stores no job", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) })
		conn := dial(t, a)
		_, err := fmt.Fprint(conn, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		got := readAnswer(t, conn)
		assert.Equal(t, http.StatusBadRequest, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#body-truncated")
		assertNoJobs(t, a)
	})

	t.Run("answers 503 with Retry-After when too many jobs wait", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) },
			ginasync.WithMaxQueued(1), ginasync.WithoutWorkers())
		a.submit("/x", "")
		got := a.post("/x", "")
		assert.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
		assert.Equal(t, "5", got.Header.Get("Retry-After"))
		assert.Contains(t, got.problem(t).Type, "#queue-full")
	})

	t.Run("answers 500 with the missing call when no Manager is started", func(t *testing.T) {
		r := gin.New()
		r.POST("/x", ginasync.Async(text("")))
		got := serve(t, r, http.MethodPost, "/x")
		assert.Equal(t, http.StatusInternalServerError, got.StatusCode)
		assert.Contains(t, got.problem(t).Detail, "Manager.Start or Manager.Run")
	})

	t.Run("answers 500 with the missing call on a route that came after Start", func(t *testing.T) {
		handler := ginasync.Async(text(""))
		r := gin.New()
		r.POST("/early", handler)
		jobs, err := ginasync.New(r, ginasync.WithoutWorkers())
		require.NoError(t, err)
		require.NoError(t, jobs.Start(t.Context()))
		r.POST("/late", handler)
		assert.Equal(t, http.StatusInternalServerError, serve(t, r, http.MethodPost, "/late").StatusCode)
	})

	t.Run("never stores OPTIONS and HEAD requests", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.Any("/x", ginasync.Async(text(""))) })
		options := a.do(http.MethodOptions, "/x", nil)
		assert.Equal(t, http.StatusNoContent, options.StatusCode)
		assert.Contains(t, options.Header.Get("Allow"), "POST")
		assert.NotContains(t, options.Header.Get("Allow"), "HEAD")
		head := a.do(http.MethodHead, "/x", nil)
		assert.Equal(t, http.StatusMethodNotAllowed, head.StatusCode)
		assert.Equal(t, options.Header.Get("Allow"), head.Header.Get("Allow"))
		assertNoJobs(t, a)
	})

	t.Run("refuses to switch protocols", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.GET("/x", ginasync.Async(text(""))) })
		got := a.get("/x", "Connection", "Upgrade", "Upgrade", "websocket")
		assert.Equal(t, http.StatusBadRequest, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#upgrade-refused")
		assertNoJobs(t, a)
	})

	t.Run("makes a delayed job scheduled", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""), ginasync.Delay(time.Hour))) })
		got := a.post("/x", "")
		status := got.status(t)
		assert.Equal(t, store.Scheduled, status.State)
		require.NotNil(t, status.NextAttemptAt)
		assert.InDelta(t, time.Hour, time.Until(*status.NextAttemptAt), float64(time.Minute))
		assert.Contains(t, []string{"25", "26", "27", "28", "29", "30"}, got.Header.Get("Retry-After"))
	})

	t.Run("says 500 and how to mend it when a middleware has read the body", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", func(c *gin.Context) { _, _ = io.Copy(io.Discard, c.Request.Body) }, ginasync.Async(text("")))
		})
		got := a.post("/x", "body")
		assert.Equal(t, http.StatusInternalServerError, got.StatusCode)
		assert.Contains(t, got.problem(t).Detail, "ShouldBindBodyWith")
		assertNoJobs(t, a)
	})

	t.Run("lets factories write the answers", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""), ginasync.MaxBody(1))) },
			ginasync.WithAccepted(func(c *gin.Context, s ginasync.Status) { c.JSON(http.StatusAccepted, gin.H{"job": s.ID}) }),
			ginasync.WithStatus(func(c *gin.Context, s ginasync.Status) {
				c.JSON(c.Writer.Status(), gin.H{"is": s.State})
			}),
			ginasync.WithErrorResponse(func(c *gin.Context, p ginasync.Problem) { c.String(p.Status, "sorry: "+p.Title) }))
		got := a.post("/x", "")
		assert.Regexp(t, `^\{"job":"\w+"\}$`, string(got.body))
		assert.NotEmpty(t, got.Header.Get("Location"))
		id := strings.TrimPrefix(got.Header.Get("Location"), "/jobs/")
		a.finish(id)
		assert.JSONEq(t, `{"is":"completed"}`, string(a.get("/jobs/"+id).body))
		assert.Equal(t, "sorry: Request body too large", string(a.post("/x", "12").body))
	})
}

// dial opens a plain connection to the application.
func dial(t *testing.T, a *app) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

func readAnswer(t *testing.T, conn net.Conn) answer {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp, data}
}

func assertNoJobs(t *testing.T, a *app) {
	t.Helper()
	stats, err := a.store.Stats(t.Context())
	require.NoError(t, err)
	stats.Sessions = 0
	assert.Zero(t, stats)
}
