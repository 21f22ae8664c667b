package ginasync_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCancel(t *testing.T) {
	t.Run("ends a waiting job at once, and again is the same", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) }, ginasync.WithoutWorkers())
		id := a.submit("/x", "")
		for range 2 {
			got := a.post("/jobs/"+id+"/cancel", "")
			assert.Equal(t, http.StatusOK, got.StatusCode)
			assert.Equal(t, store.Canceled, got.status(t).State)
		}
		got := a.get("/jobs/" + id + "/result")
		assert.Equal(t, http.StatusConflict, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#job-canceled")
		assert.Empty(t, got.Header.Get("Retry-After"))
		assert.Empty(t, got.Header.Get("AsyncResult"))
	})

	t.Run("stops a running job, whatever it answers", func(t *testing.T) {
		running := make(chan struct{})
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				close(running)
				<-c.Done() // the gin context itself, as handlers use it
				c.String(http.StatusOK, "too late")
			}))
		})
		id := a.submit("/x", "")
		<-running
		got := a.post("/jobs/"+id+"/cancel", "")
		assert.Equal(t, http.StatusAccepted, got.StatusCode)
		assert.NotNil(t, got.status(t).CancelRequestedAt)
		assert.Equal(t, store.Canceled, a.finish(id).State)
		assert.Equal(t, http.StatusOK, a.post("/jobs/"+id+"/cancel", "").StatusCode)
	})

	t.Run("refuses a job that is over", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) })
		id := a.submit("/x", "")
		a.finish(id)
		got := a.post("/jobs/"+id+"/cancel", "")
		assert.Equal(t, http.StatusConflict, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#job-not-cancelable")
		job, err := a.jobs.Cancel(t.Context(), id)
		require.ErrorIs(t, err, store.ErrFinished)
		assert.Equal(t, store.Completed, job.State)
	})
}

func TestRetry(t *testing.T) {
	t.Run("runs a failed job again under its id, attempts counted on", func(t *testing.T) {
		var mended atomic.Bool
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				if !mended.Load() {
					c.String(http.StatusTeapot, "no")
					return
				}
				c.String(http.StatusOK, "yes")
			}))
		})
		id := a.submit("/x", "")
		assert.Equal(t, store.Failed, a.finish(id).State)
		failed := a.get("/jobs/" + id).status(t)
		assert.Equal(t, "/jobs/"+id+"/retry", failed.Links.Retry)
		assert.Equal(t, http.StatusTeapot, failed.Error.Status)

		mended.Store(true)
		got := a.post("/jobs/"+id+"/retry", "")
		assert.Equal(t, http.StatusAccepted, got.StatusCode)
		assert.Equal(t, "/jobs/"+id, got.Header.Get("Location"))
		assert.Equal(t, 1+4, got.status(t).MaxAttempts)
		job := a.finish(id)
		assert.Equal(t, store.Completed, job.State)
		assert.Equal(t, 2, job.Attempt)
		assert.Equal(t, "yes", string(a.get("/jobs/"+id+"/result").body))
	})

	t.Run("refuses a job that has not failed", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) })
		id := a.submit("/x", "")
		a.finish(id)
		got := a.post("/jobs/"+id+"/retry", "")
		assert.Equal(t, http.StatusConflict, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#job-not-retryable")
	})

	t.Run("takes the default attempts for a route that only others have", func(t *testing.T) {
		a := newApp(t, func(*gin.Engine) {}, ginasync.WithoutWorkers(),
			ginasync.WithDefaults(ginasync.MaxAttempts(7)))
		job, _, err := a.store.Create(t.Context(), store.NewJob{Route: "GET /elsewhere", Queue: "default", MaxAttempts: 1, Retention: time.Hour})
		require.NoError(t, err)
		session, err := a.store.Join(t.Context(), "test", patience)
		require.NoError(t, err)
		batch, err := session.Claim(t.Context(), []store.Want{{Queue: "default", Max: 1}})
		require.NoError(t, err)
		_, err = session.Settle(t.Context(), batch.Claims[0].Ref, store.Fail(store.WorkerLost(), nil))
		require.NoError(t, err)
		job, err = a.jobs.Retry(t.Context(), job.ID)
		require.NoError(t, err)
		assert.Equal(t, 1+7, job.MaxAttempts)
	})
}
