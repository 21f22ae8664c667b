package ginasync_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slow is a route whose handler takes a minute and reports progress after 25 s.
func slow(r *gin.Engine) {
	r.POST("/slow", ginasync.Async(func(c *gin.Context) {
		wait(c, 25*time.Second)
		_ = ginasync.Progress(c, 40, "on the way")
		wait(c, 35*time.Second)
		c.String(http.StatusOK, "slept well")
	}))
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func TestStatusLongPoll(t *testing.T) {
	inBubble(t, "answers when the job is over, whatever changes before", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		time.Sleep(20 * time.Second)
		got := b.get("/jobs/"+id, "Prefer", "wait=15")
		assert.InDelta(t, 40, got.status(t).Progress.Percent, 0, "progress does not end the wait")
		start := time.Now()
		got = b.get("/jobs/"+id, "Prefer", "wait=30")
		assert.Equal(t, 25*time.Second, time.Since(start))
		assert.True(t, got.status(t).Done)
		assert.Equal(t, "wait=30", got.Header.Get("Preference-Applied"))
		assert.Empty(t, got.Header.Get("Retry-After"))
	})

	inBubble(t, "answers 200 with the present document when the time is over", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		start := time.Now()
		got := b.get("/jobs/"+id, "Prefer", "wait=3")
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.Equal(t, http.StatusOK, got.StatusCode)
		assert.Equal(t, store.InProgress, got.status(t).State)
		assert.Equal(t, "wait=3", got.Header.Get("Preference-Applied"))
		assert.Equal(t, "0", got.Header.Get("Retry-After"), "who has waited need not pause")
		assert.Zero(t, got.status(t).RetryAfter)
	})

	inBubble(t, "waits half a minute at most, and says so", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		start := time.Now()
		got := b.get("/jobs/"+id, "Prefer", "wait=9999")
		assert.Equal(t, 30*time.Second, time.Since(start))
		assert.Equal(t, "wait=30", got.Header.Get("Preference-Applied"))
	})

	inBubble(t, "with If-None-Match answers at any change", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		synctest.Wait()
		tag := b.get("/jobs/" + id).Header.Get("ETag")
		start := time.Now()
		got := b.get("/jobs/"+id, "Prefer", "wait=30", "If-None-Match", tag)
		assert.Equal(t, 25*time.Second, time.Since(start))
		assert.Equal(t, http.StatusOK, got.StatusCode)
		assert.Equal(t, "on the way", got.status(t).Progress.Message)
		assert.NotEqual(t, tag, got.Header.Get("ETag"))
	})

	inBubble(t, "with If-None-Match answers 304 when nothing changed in the time", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		synctest.Wait()
		tag := b.get("/jobs/" + id).Header.Get("ETag")
		start := time.Now()
		got := b.get("/jobs/"+id, "Prefer", "wait=9", "If-None-Match", tag)
		assert.Equal(t, 9*time.Second, time.Since(start))
		assert.Equal(t, http.StatusNotModified, got.StatusCode)
		assert.Equal(t, tag, got.Header.Get("ETag"))
		assert.Equal(t, "0", got.Header.Get("Retry-After"))
		assert.Equal(t, "wait=9", got.Header.Get("Preference-Applied"))
		assert.Empty(t, got.body)
	})

	inBubble(t, "answers at once what the client does not know yet", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		start := time.Now()
		assert.Equal(t, http.StatusOK, b.get("/jobs/"+id, "Prefer", "wait=9", "If-None-Match", `"77"`).StatusCode)
		got := b.get("/jobs/"+id, "Prefer", "wait=0")
		assert.Equal(t, "wait=0", got.Header.Get("Preference-Applied"))
		assert.Equal(t, "1", got.Header.Get("Retry-After"), "this client did not wait")
		assert.Equal(t, http.StatusNotFound, b.get("/jobs/"+store.NewID('a'), "Prefer", "wait=9").StatusCode)
		assert.Zero(t, time.Since(start))
	})

	inBubble(t, "answers HEAD like GET, without the document", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		start := time.Now()
		got := b.do(http.MethodHead, "/jobs/"+id, nil, "Prefer", "wait=5")
		assert.Equal(t, 5*time.Second, time.Since(start))
		assert.Equal(t, "wait=5", got.Header.Get("Preference-Applied"))
		assert.NotEmpty(t, got.Header.Get("ETag"))
		assert.Empty(t, got.body)
	})

	inBubble(t, "answers 404 when the job is removed meanwhile", func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(text(""), ginasync.Retention(4*time.Second)))
	}, func(t *testing.T, b *bubble) {
		id := b.submit("/x", "")
		b.finish(id)
		tag := b.get("/jobs/" + id).Header.Get("ETag")
		got := b.get("/jobs/"+id, "Prefer", "wait=30", "If-None-Match", tag)
		assert.Equal(t, http.StatusNotFound, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#job-not-found")
	})

	inBubbleOn(t, "misses no change between reading and waiting", func() store.Store {
		return &changingStore{Store: memstore.New()}
	}, slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		start := time.Now()
		got := b.get("/jobs/"+id, "Prefer", "wait=30")
		assert.Equal(t, store.Canceled, got.status(t).State)
		assert.Zero(t, time.Since(start))
	}, ginasync.WithoutWorkers())

	inBubble(t, "leaves a job alone when its client goes away", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		ctx, leave := context.WithCancel(t.Context())
		polling := b.background(ctx, http.MethodGet, "/jobs/"+id, "Prefer", "wait=30")
		leave()
		assert.Nil(t, <-polling)
		time.Sleep(time.Minute)
		assert.Equal(t, store.Completed, b.finish(id).State)
	})

	inBubble(t, "does not wait when too many do, and tells when to come again", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		time.Sleep(20 * time.Second)
		waiting := b.poll("/jobs/"+id, "Prefer", "wait=15")
		start := time.Now()
		got := b.get("/jobs/"+id, "Prefer", "wait=15")
		assert.Zero(t, time.Since(start))
		assert.Equal(t, http.StatusOK, got.StatusCode)
		assert.Empty(t, got.Header.Get("Preference-Applied"))
		assert.GreaterOrEqual(t, got.status(t).RetryAfter, int64(5))
		<-waiting
		assert.Equal(t, "wait=1", b.get("/jobs/"+id, "Prefer", "wait=1").Header.Get("Preference-Applied"), "there is room again")
	}, ginasync.WithMaxWatchers(1))

	for name, end := range map[string]func(*bubble) error{
		"the Manager": func(b *bubble) error { return b.jobs.Shutdown(b.t.Context()) },
		"the server":  func(b *bubble) error { return b.server.Shutdown(b.t.Context()) },
	} {
		inBubble(t, "is answered at once when "+name+" shuts down", func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) }, func(t *testing.T, b *bubble) {
			id := b.submit("/x", "")
			polling := b.poll("/jobs/"+id, "Prefer", "wait=30")
			assert.Empty(t, polling)
			start := time.Now()
			require.NoError(t, end(b))
			got := <-polling
			assert.Less(t, time.Since(start), time.Second)
			assert.Equal(t, http.StatusOK, got.StatusCode)
			assert.Equal(t, store.Queued, got.status(t).State)
			assert.Equal(t, "1", got.Header.Get("Retry-After"))
			assert.Empty(t, got.Header.Get("Preference-Applied"))
		}, ginasync.WithoutWorkers())
	}

	inBubble(t, "is answered at once after a Shutdown", func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) }, func(t *testing.T, b *bubble) {
		id := b.submit("/x", "")
		require.NoError(t, b.jobs.Shutdown(t.Context()))
		start := time.Now()
		assert.Equal(t, http.StatusOK, b.get("/jobs/"+id, "Prefer", "wait=30").StatusCode)
		assert.Zero(t, time.Since(start))
	}, ginasync.WithoutWorkers())

	inBubble(t, "outlasts the timeouts of its server", slow, func(t *testing.T, b *bubble) {
		b.serve(func(s *http.Server) { s.WriteTimeout, s.ReadTimeout = time.Second, time.Second })
		id := b.submit("/slow", "")
		got := b.get("/jobs/"+id, "Prefer", "wait=30")
		assert.Equal(t, http.StatusOK, got.StatusCode)
		assert.Equal(t, "wait=30", got.Header.Get("Preference-Applied"))
	})

	inBubble(t, "keeps within the server's timeout when a middleware hides the connection", func(r *gin.Engine) {
		r.Use(func(c *gin.Context) { c.Writer = hiding{c.Writer} })
		slow(r)
	}, func(t *testing.T, b *bubble) {
		b.serve(func(s *http.Server) { s.WriteTimeout = 10 * time.Second })
		id := b.submit("/slow", "")
		start := time.Now()
		assert.Equal(t, http.StatusOK, b.get("/jobs/"+id, "Prefer", "wait=30").StatusCode)
		assert.Equal(t, 5*time.Second, time.Since(start))
	})
}

// hiding is a writer as many middlewares have one: it cannot be unwrapped.
type hiding struct{ gin.ResponseWriter }

// changingStore cancels a job right after it was read for the second time.
type changingStore struct {
	store.Store
	gets int
}

func (s *changingStore) Get(ctx context.Context, id string) (store.Job, error) {
	job, err := s.Store.Get(ctx, id)
	if s.gets++; s.gets == 2 {
		_, _ = s.Cancel(ctx, id)
	}
	return job, err
}

func TestResultLongPoll(t *testing.T) {
	inBubble(t, "answers with the result when the job is over", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		time.Sleep(45 * time.Second)
		start := time.Now()
		got := b.get("/jobs/"+id+"/result", "Prefer", "wait=30")
		assert.Equal(t, 15*time.Second, time.Since(start))
		assert.Equal(t, "slept well", string(got.body))
		assert.Equal(t, "200", got.Header.Get("AsyncResult"))
		assert.Equal(t, "wait=30", got.Header.Get("Preference-Applied"))
	})

	inBubble(t, "answers 409 when the time is over", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		start := time.Now()
		got := b.get("/jobs/"+id+"/result", "Prefer", "wait=7")
		assert.Equal(t, 7*time.Second, time.Since(start))
		assert.Equal(t, http.StatusConflict, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#job-not-finished")
		assert.Equal(t, "0", got.Header.Get("Retry-After"))
		assert.Equal(t, "wait=7", got.Header.Get("Preference-Applied"))
	})

	inBubble(t, "answers 409 for a job that is canceled meanwhile", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		polling := b.poll("/jobs/"+id+"/result", "Prefer", "wait=30")
		b.post("/jobs/"+id+"/cancel", "")
		assert.Contains(t, (<-polling).problem(t).Type, "#job-canceled")
	})

	inBubble(t, "answers at once when too many wait", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		polling := b.poll("/jobs/"+id, "Prefer", "wait=30")
		start := time.Now()
		got := b.get("/jobs/"+id+"/result", "Prefer", "wait=30")
		assert.Zero(t, time.Since(start))
		assert.Equal(t, http.StatusConflict, got.StatusCode)
		assert.NotEqual(t, "0", got.Header.Get("Retry-After"))
		<-polling
	}, ginasync.WithMaxWatchers(1))
}
