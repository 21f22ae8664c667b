package ginasync_test

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestResult(t *testing.T) {
	t.Run("is what the handler answered, marked by AsyncResult", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				c.Header("Content-Disposition", `attachment; filename="a.bin"`)
				c.Writer.Header().Add("X-Many", "1")
				c.Writer.Header().Add("X-Many", "2")
				c.Header("Set-Cookie", "session=secret")
				c.Header("AsyncResult", "999")
				c.Header("Cache-Control", "public, max-age=60")
				c.Data(http.StatusCreated, "application/x-thing", []byte("\x00\xff binary"))
			}))
		})
		got := a.run("/x", "")
		assert.Equal(t, http.StatusCreated, got.StatusCode)
		assert.Equal(t, []string{"201"}, got.Header.Values("AsyncResult"))
		assert.Equal(t, "application/x-thing", got.Header.Get("Content-Type"))
		assert.Equal(t, `attachment; filename="a.bin"`, got.Header.Get("Content-Disposition"))
		assert.Equal(t, []string{"1", "2"}, got.Header.Values("X-Many"))
		assert.Equal(t, "\x00\xff binary", string(got.body))
		assert.EqualValues(t, len(got.body), got.ContentLength)
		assert.Equal(t, "private, no-store", got.Header.Get("Cache-Control"))
		assert.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
		assert.Empty(t, got.Header.Get("Set-Cookie"), "a cookie is a credential")
	})

	t.Run("asked for too early is a 409 with Retry-After", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) }, ginasync.WithoutWorkers())
		id := a.submit("/x", "")
		got := a.get("/jobs/" + id + "/result")
		assert.Equal(t, http.StatusConflict, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#job-not-finished")
		assert.Equal(t, "1", got.Header.Get("Retry-After"))
		assert.Equal(t, "/jobs/"+id, got.Header.Get("Location"))
		assert.Empty(t, got.Header.Get("AsyncResult"), "this is not the handler's answer")
	})

	t.Run("has no content when the handler's answer has none", func(t *testing.T) {
		var refused error
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				c.Status(http.StatusNoContent)
				c.Writer.WriteHeaderNow()
				_, refused = c.Writer.WriteString("not allowed")
			}))
		})
		got := a.run("/x", "")
		assert.Equal(t, http.StatusNoContent, got.StatusCode)
		assert.Equal(t, "204", got.Header.Get("AsyncResult"))
		assert.Empty(t, got.Header.Get("Content-Length"))
		assert.ErrorIs(t, refused, http.ErrBodyNotAllowed)
	})

	t.Run("of a handler that wrote nothing is its 200", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(func(*gin.Context) {})) })
		got := a.run("/x", "")
		assert.Equal(t, http.StatusOK, got.StatusCode)
		assert.Empty(t, got.Header.Values("Content-Type"), "nothing is guessed")
	})
}

func TestOutcome(t *testing.T) {
	soon := ginasync.Retry(worker.Backoff{Initial: time.Millisecond, Max: time.Millisecond, Factor: 1})

	t.Run("of a status below 400 is completed", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) { c.Redirect(http.StatusSeeOther, "/elsewhere") }))
		})
		a.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		id := a.submit("/x", "")
		assert.Equal(t, store.Completed, a.finish(id).State)
		assert.Equal(t, "/elsewhere", a.get("/jobs/"+id+"/result").Header.Get("Location"))
	})

	for _, status := range []int{400, 401, 404, 409, 422, 499} {
		t.Run("of "+http.StatusText(status)+" is failed at once, with the handler's answer", func(t *testing.T) {
			a := newApp(t, func(r *gin.Engine) {
				r.POST("/x", ginasync.Async(func(c *gin.Context) { c.String(status, "own words") }, soon))
			})
			id := a.submit("/x", "")
			job := a.finish(id)
			assert.Equal(t, store.Failed, job.State)
			assert.Equal(t, 1, job.Attempt)
			got := a.get("/jobs/" + id + "/result")
			assert.Equal(t, status, got.StatusCode)
			assert.Equal(t, "own words", string(got.body))
			assert.NotEmpty(t, got.Header.Get("AsyncResult"))
		})
	}

	for _, status := range []int{408, 425, 429, 500, 503} {
		t.Run("of "+http.StatusText(status)+" is retried, then failed", func(t *testing.T) {
			a := newApp(t, func(r *gin.Engine) {
				r.POST("/x", ginasync.Async(func(c *gin.Context) { c.Status(status) }, soon, ginasync.MaxAttempts(2)))
			})
			job := a.finish(a.submit("/x", ""))
			assert.Equal(t, store.Failed, job.State)
			assert.Equal(t, 2, job.Attempt)
			assert.Equal(t, status, job.Problem.Status)
		})
	}

	t.Run("waits as long as the handler's Retry-After asks", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				c.Header("Retry-After", "3600")
				c.Status(http.StatusServiceUnavailable)
			}, soon))
		})
		id := a.submit("/x", "")
		job := a.awaitState(id, store.Scheduled)
		assert.InDelta(t, time.Hour, time.Until(job.DueAt), float64(time.Minute))
		status := a.get("/jobs/" + id).status(t)
		assert.NotNil(t, status.NextAttemptAt)
		assert.Equal(t, http.StatusServiceUnavailable, status.Error.Status)
	})

	t.Run("follows the handler's Permanent and RetryAfter errors", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/final", ginasync.Async(func(c *gin.Context) {
				_ = c.Error(ginasync.Permanent(assert.AnError))
				c.Status(http.StatusInternalServerError)
			}, soon))
			r.POST("/later", ginasync.Async(func(c *gin.Context) {
				_ = c.Error(ginasync.RetryAfter(assert.AnError, time.Hour))
				c.Status(http.StatusInternalServerError)
			}, soon))
		})
		assert.Equal(t, 1, a.finish(a.submit("/final", "")).Attempt)
		job := a.awaitState(a.submit("/later", ""), store.Scheduled)
		assert.InDelta(t, time.Hour, time.Until(job.DueAt), float64(time.Minute))
	})

	t.Run("follows the route's classifier", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				_ = c.Error(assert.AnError)
				c.Status(http.StatusTeapot)
			}, soon, ginasync.MaxAttempts(3), ginasync.RetryOn(func(status int, err error) bool {
				return status == http.StatusTeapot && err != nil
			})))
		})
		assert.Equal(t, 3, a.finish(a.submit("/x", "")).Attempt)
	})

	t.Run("of a panic is retried, then a 500 without a stack", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(*gin.Context) { panic("secret words") }, soon, ginasync.MaxAttempts(2)))
			r.POST("/well", ginasync.Async(text("alive")))
		})
		id := a.submit("/x", "")
		job := a.finish(id)
		assert.Equal(t, store.Failed, job.State)
		assert.Equal(t, 2, job.Attempt)
		got := a.get("/jobs/" + id + "/result")
		assert.Equal(t, http.StatusInternalServerError, got.StatusCode)
		assert.Equal(t, "500", got.Header.Get("AsyncResult"))
		assert.Contains(t, got.problem(t).Type, "#panic")
		for _, secret := range []string{"secret words", "goroutine", ".go"} {
			assert.NotContains(t, string(got.body), secret)
		}
		assert.Equal(t, "alive", string(a.run("/well", "").body), "the process lives on")
	})

	t.Run("of runtime.Goexit is a failure like a panic", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(*gin.Context) { runtime.Goexit() }, soon, ginasync.MaxAttempts(1)))
			r.POST("/well", ginasync.Async(text("alive")))
		})
		assert.Equal(t, store.Failed, a.finish(a.submit("/x", "")).State)
		assert.Equal(t, "alive", string(a.run("/well", "").body))
	})

	t.Run("of an attempt that outlives its deadline is a 504", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				<-c.Request.Context().Done()
				c.String(http.StatusOK, "too late")
			}, ginasync.Timeout(10*time.Millisecond), ginasync.MaxAttempts(1)))
		})
		id := a.submit("/x", "")
		assert.Equal(t, store.Failed, a.finish(id).State)
		got := a.get("/jobs/" + id + "/result")
		assert.Equal(t, http.StatusGatewayTimeout, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#timeout")
	})

	t.Run("of a handler that never returns is a 504 too, and others go on", func(t *testing.T) {
		release := make(chan struct{})
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(*gin.Context) { <-release },
				ginasync.Timeout(10*time.Millisecond), ginasync.MaxAttempts(1)))
			r.POST("/well", ginasync.Async(text("alive")))
		}, ginasync.WithConcurrency(1))
		id := a.submit("/x", "")
		assert.Equal(t, store.Failed, a.finish(id).State)
		assert.Equal(t, "alive", string(a.run("/well", "").body), "its place is free again")
		close(release)
	})

	t.Run("of an answer over the result limit is failed, never cut off", func(t *testing.T) {
		stopped := make(chan error, 1)
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				c.String(http.StatusOK, strings.Repeat("x", 101))
				stopped <- c.Request.Context().Err()
			}, soon, ginasync.MaxResult(100)))
			r.POST("/fits", ginasync.Async(text(strings.Repeat("x", 100)), ginasync.MaxResult(100)))
		})
		id := a.submit("/x", "")
		job := a.finish(id)
		require.Error(t, <-stopped, "the handler is told to stop")
		assert.Equal(t, store.Failed, job.State)
		assert.Equal(t, 1, job.Attempt)
		assert.Equal(t, "result too large", job.Problem.Title)
		assert.Contains(t, string(a.get("/jobs/"+id+"/result").body), "more than 100 bytes")
		assert.Len(t, a.run("/fits", "").body, 100)
	})

	t.Run("of an answer shorter than its Content-Length is retried, then failed", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				c.DataFromReader(http.StatusOK, 100, "text/plain", strings.NewReader("half"), nil)
			}, soon, ginasync.MaxAttempts(2)))
		})
		id := a.submit("/x", "")
		job := a.finish(id)
		assert.Equal(t, store.Failed, job.State)
		assert.Equal(t, 2, job.Attempt)
		assert.Contains(t, a.get("/jobs/"+id+"/result").problem(t).Type, "#result-incomplete")
	})

	t.Run("keeps no more of a problem document than a status document can bear", func(t *testing.T) {
		long := strings.Repeat("ä", 5000)
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				c.Data(http.StatusConflict, "application/problem+json", []byte(`{"title":"T","detail":"`+long+`"}`))
			}))
		})
		id := a.submit("/x", "")
		detail := []rune(a.finish(id).Problem.Detail)
		assert.Len(t, detail, 1000)
		assert.Equal(t, '…', detail[999])
		assert.Contains(t, string(a.get("/jobs/"+id+"/result").body), long, "the result has it all")
	})

	t.Run("keeps the words of a problem document", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				c.Data(http.StatusConflict, "application/problem+json", []byte(`{"title":"Out of stock","detail":"none left"}`))
			}))
		})
		assert.Equal(t, "Out of stock: none left", a.finish(a.submit("/x", "")).Problem.Detail)
	})

	t.Run("of a stored request that cannot be read is failed at once", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) })
		job, _, err := a.store.Create(t.Context(), store.NewJob{
			Route: "POST /x", Queue: "default", MaxAttempts: 3, Retention: time.Hour, Request: []byte("not a request"),
		})
		require.NoError(t, err)
		done := a.finish(job.ID)
		assert.Equal(t, store.Failed, done.State)
		assert.Equal(t, "request-unreadable", done.Problem.Type)
		assert.Equal(t, 1, done.Attempt)
	})
}
