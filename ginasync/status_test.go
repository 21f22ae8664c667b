package ginasync_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve sends a request to an engine without a server.
func serve(t *testing.T, r http.Handler, method, path string) answer {
	t.Helper()
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
	return answer{w.Result(), w.Body.Bytes()}
}

func TestStatus(t *testing.T) {
	t.Run("shows a completed job", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text("hello"))) })
		id := a.submit("/x", "")
		a.finish(id)
		got := a.get("/jobs/" + id)
		status := got.status(t)
		assert.Equal(t, http.StatusOK, got.StatusCode)
		assert.Equal(t, store.Completed, status.State)
		assert.True(t, status.Done)
		assert.Equal(t, 1, status.Attempt)
		assert.Equal(t, &ginasync.StatusResponse{Status: 200, ContentType: "text/plain; charset=utf-8", Bytes: 5}, status.Response)
		assert.NotNil(t, status.StartedAt)
		assert.NotNil(t, status.FinishedAt)
		assert.NotNil(t, status.ExpiresAt)
		assert.Nil(t, status.Error)
		assert.Empty(t, status.Links.Cancel)
		assert.Empty(t, status.Links.Retry)
		assert.Equal(t, "private, no-cache", got.Header.Get("Cache-Control"))
		assert.Empty(t, got.Header.Get("Retry-After"), "a job that is over needs no more polls")
	})

	t.Run("has the version as strong ETag and answers 304 while it stands", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""), ginasync.MaxAttempts(1))) }, ginasync.WithoutWorkers())
		id := a.submit("/x", "")
		tag := a.get("/jobs/" + id).Header.Get("ETag")
		assert.Equal(t, `"1"`, tag)
		for _, sent := range []string{tag, "W/" + tag, `"7", ` + tag, "*"} {
			got := a.get("/jobs/"+id, "If-None-Match", sent)
			assert.Equal(t, http.StatusNotModified, got.StatusCode, sent)
			assert.Equal(t, tag, got.Header.Get("ETag"))
			assert.NotEmpty(t, got.Header.Get("Retry-After"))
			assert.NotEmpty(t, got.Header.Get("Cache-Control"))
			assert.Empty(t, got.body)
		}
		a.post("/jobs/"+id+"/cancel", "")
		got := a.get("/jobs/"+id, "If-None-Match", tag)
		assert.Equal(t, http.StatusOK, got.StatusCode)
		assert.Equal(t, `"2"`, got.Header.Get("ETag"))
	})

	t.Run("answers HEAD with the headers alone", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text("hello"))) })
		id := a.submit("/x", "")
		a.finish(id)
		for path, length := range map[string]int64{"": -1, "/result": 5} {
			got := a.do(http.MethodHead, "/jobs/"+id+path, nil)
			assert.Equal(t, http.StatusOK, got.StatusCode)
			if length >= 0 {
				assert.Equal(t, length, got.ContentLength)
			}
			assert.Empty(t, got.body)
		}
	})

	t.Run("gives the same 404 for every unknown id on every route", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) })
		want := a.get("/jobs/" + store.NewID('a'))
		assert.Equal(t, http.StatusNotFound, want.StatusCode)
		assert.Contains(t, want.problem(t).Type, "#job-not-found")
		for _, id := range []string{store.NewID('b'), "x", "%00", "A" + store.NewID('a')[1:]} {
			for _, route := range []struct{ method, path string }{
				{http.MethodGet, ""}, {http.MethodGet, "/result"}, {http.MethodGet, "/events"}, {http.MethodPost, "/cancel"}, {http.MethodPost, "/retry"},
			} {
				got := a.do(route.method, "/jobs/"+id+route.path, nil)
				assert.Equal(t, want.StatusCode, got.StatusCode, route)
				assert.Equal(t, want.body, got.body, route)
				got.Header.Del("Date")
				want.Header.Del("Date")
				assert.Equal(t, want.Header, got.Header, route)
			}
		}
	})

	t.Run("never asks the store for an id that cannot be one", func(t *testing.T) {
		a := startApp(t, gin.New(), deafStore{memstore.New()}, ginasync.WithoutWorkers())
		assert.Equal(t, http.StatusNotFound, a.get("/jobs/nonsense").StatusCode)
		assert.Equal(t, http.StatusNotFound, a.get("/jobs/nonsense/result").StatusCode)
		assert.Equal(t, http.StatusNotFound, a.get("/jobs/nonsense/events").StatusCode)
		assert.Equal(t, http.StatusNotFound, a.post("/jobs/nonsense/cancel", "").StatusCode)
		assert.Equal(t, http.StatusNotFound, a.post("/jobs/nonsense/retry", "").StatusCode)
	})

	t.Run("answers 503 when the store does not answer", func(t *testing.T) {
		r := gin.New()
		r.POST("/x", ginasync.Async(text("")))
		a := startApp(t, r, deafStore{memstore.New()}, ginasync.WithoutWorkers())
		id := store.NewID('a')
		for _, got := range []answer{
			a.post("/x", ""), a.get("/jobs/" + id), a.get("/jobs/" + id + "/result"), a.get("/jobs/" + id + "/events"),
			a.post("/jobs/"+id+"/cancel", ""), a.post("/jobs/"+id+"/retry", ""),
		} {
			assert.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
			assert.Contains(t, got.problem(t).Type, "#store-unavailable")
			assert.Equal(t, "5", got.Header.Get("Retry-After"))
			assert.NotContains(t, string(got.body), errDeaf.Error(), "the store's words are for the log")
		}
	})

	t.Run("shows progress and the deadline to the handler", func(t *testing.T) {
		reported, finish := make(chan *ginasync.Attempt), make(chan struct{})
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				attempt, ok := ginasync.FromContext(c)
				if !ok || ginasync.Progress(c, 42.5, "half way") != nil {
					c.Status(http.StatusBadRequest)
				}
				reported <- attempt
				<-finish
			}))
		})
		id := a.submit("/x", "")
		attempt := <-reported
		job := a.awaitState(id, store.InProgress)
		close(finish)
		assert.Equal(t, id, attempt.ID)
		assert.Equal(t, "POST /x", attempt.Route)
		assert.Equal(t, 1, attempt.Number)
		assert.Equal(t, 4, attempt.Max)
		assert.False(t, attempt.Deadline.IsZero())
		assert.InDelta(t, 42.5, job.Progress.Percent, 0)
		got := a.get("/jobs/" + id).status(t).Progress
		require.NotNil(t, got)
		assert.Equal(t, "half way", got.Message)
		assert.Equal(t, store.Completed, a.finish(id).State)
	})

	t.Run("makes Progress nothing outside of a worker", func(t *testing.T) {
		require.NoError(t, ginasync.Progress(t.Context(), 1, ""))
		_, ok := ginasync.FromContext(t.Context())
		assert.False(t, ok)
	})
}

var errDeaf = errors.New("no answer")

// deafStore fails every call that a request makes.
type deafStore struct{ store.Store }

func (deafStore) Create(context.Context, store.NewJob) (store.Job, bool, error) {
	return store.Job{}, false, errDeaf
}
func (deafStore) Get(context.Context, string) (store.Job, error) { return store.Job{}, errDeaf }
func (deafStore) Result(context.Context, string) (store.Job, []byte, error) {
	return store.Job{}, nil, errDeaf
}
func (deafStore) Cancel(context.Context, string) (store.Job, error) { return store.Job{}, errDeaf }
func (deafStore) Retry(context.Context, string, int) (store.Job, error) {
	return store.Job{}, errDeaf
}
