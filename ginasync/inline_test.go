package ginasync_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
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

// taking is a handler that takes its time and then answers 201.
func taking(d time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		wait(c, d)
		c.Header("Link", "</x>; rel=up")
		c.Header("Cache-Control", "public")
		c.Data(http.StatusCreated, "application/x-thing", []byte("thing"))
	}
}

// paces are a route of each kind whose handler takes 10 s.
func paces(r *gin.Engine) {
	r.POST("/always", ginasync.Async(taking(10*time.Second)))
	r.POST("/wait", ginasync.Async(taking(10*time.Second), ginasync.Wait(12*time.Second)))
	r.POST("/short", ginasync.Async(taking(10*time.Second), ginasync.Wait(2*time.Second)))
	r.POST("/onprefer", ginasync.Async(taking(10*time.Second), ginasync.Wait(time.Second), ginasync.OnPrefer()))
	r.POST("/minutes", ginasync.Async(taking(5*time.Minute), ginasync.OnPrefer()))
	r.POST("/never", ginasync.Async(text(""), ginasync.OnPrefer(), ginasync.Delay(time.Hour)))
}

func TestInline(t *testing.T) {
	for _, test := range []struct {
		path, prefer string
		status       int
		after        time.Duration
		applied      string
	}{
		{"/always", "", 202, 0, ""},
		{"/always", "respond-async", 202, 0, "respond-async"},
		{"/always", "wait=0", 202, 0, "wait=0"},
		{"/always", "wait=4", 202, 4 * time.Second, "wait=4"},
		{"/always", "wait=11", 201, 10 * time.Second, "wait=11"},
		{"/always", "wait=99999, respond-async", 201, 10 * time.Second, "respond-async, wait=30"},
		{"/wait", "", 201, 10 * time.Second, ""},
		{"/wait", "respond-async", 202, 0, "respond-async"},
		{"/wait", "wait=3", 202, 3 * time.Second, "wait=3"},
		{"/short", "", 202, 2 * time.Second, ""},
		{"/short", "wait=20", 201, 10 * time.Second, "wait=20"},
		{"/onprefer", "", 201, 10 * time.Second, ""},
		{"/onprefer", "return=minimal, wait=x", 201, 10 * time.Second, ""},
		{"/onprefer", "respond-async", 202, 0, "respond-async"},
		{"/onprefer", "wait=4", 202, 4 * time.Second, "wait=4"},
		{"/onprefer", "respond-async, wait=20", 201, 10 * time.Second, "respond-async, wait=20"},
		{"/minutes", "", 201, 5 * time.Minute, ""},
	} {
		name := strings.TrimSpace(test.path + " with " + test.prefer)
		inBubble(t, name+" answers "+http.StatusText(test.status), paces, func(t *testing.T, b *bubble) {
			b.serve(func(s *http.Server) { s.WriteTimeout, s.ReadTimeout = time.Second, time.Second })
			start := time.Now()
			got := b.post(test.path, "", "Prefer", test.prefer)
			assert.Equal(t, test.after, time.Since(start))
			require.Equal(t, test.status, got.StatusCode)
			assert.Equal(t, test.applied, got.Header.Get("Preference-Applied"))
			assert.Equal(t, []string{"Prefer"}, got.Header.Values("Vary"))
			if test.status == http.StatusAccepted {
				assert.Equal(t, "/jobs/"+got.status(t).ID, got.Header.Get("Location"))
				assert.NotEmpty(t, got.Header.Get("Retry-After"))
				assert.Equal(t, test.after > 0, got.status(t).State == store.InProgress, "the document is the present one")
				return
			}
			link := got.Header.Values("Link")
			require.Len(t, link, 2)
			assert.Equal(t, "</x>; rel=up", link[1], "the handler's own stays")
			self := strings.TrimSuffix(strings.TrimPrefix(link[0], "<"), `>; rel="monitor"`)
			result := b.get(self + "/result")
			assert.Equal(t, "thing", string(got.body))
			assert.Equal(t, result.body, got.body)
			for _, name := range []string{"AsyncResult", "Content-Type", "Content-Length", "Cache-Control", "X-Content-Type-Options"} {
				assert.Equal(t, result.Header.Values(name), got.Header.Values(name), name)
				assert.NotEmpty(t, got.Header.Get(name), name)
			}
		})
	}

	inBubble(t, "answers with the problem of a job that gave none", func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(taking(time.Hour), ginasync.Timeout(time.Second), ginasync.MaxAttempts(1), ginasync.OnPrefer()))
	}, func(t *testing.T, b *bubble) {
		got := b.post("/x", "")
		assert.Equal(t, http.StatusGatewayTimeout, got.StatusCode)
		assert.Equal(t, "504", got.Header.Get("AsyncResult"))
		assert.Contains(t, got.problem(t).Type, "#timeout")
	})

	inBubble(t, "answers 409 when the job is canceled meanwhile", paces, func(t *testing.T, b *bubble) {
		submitting := b.background(t.Context(), http.MethodPost, "/onprefer")
		b.post("/jobs/"+b.only()+"/cancel", "")
		got := <-submitting
		assert.Equal(t, http.StatusConflict, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#job-canceled")
	})

	inBubble(t, "leaves the job alone when its client goes away", paces, func(t *testing.T, b *bubble) {
		ctx, leave := context.WithCancel(t.Context())
		submitting := b.background(ctx, http.MethodPost, "/always", "Prefer", "wait=30")
		leave()
		assert.Nil(t, <-submitting)
		time.Sleep(time.Minute)
		assert.Equal(t, store.Completed, b.finish(b.only()).State)
	})

	inBubble(t, "does not wait when too many do", paces, func(t *testing.T, b *bubble) {
		id := b.submit("/always", "")
		polling := b.poll("/jobs/"+id, "Prefer", "wait=9")
		start := time.Now()
		got := b.post("/wait", "", "Prefer", "wait=30, respond-async")
		assert.Equal(t, http.StatusAccepted, got.StatusCode)
		assert.Equal(t, "respond-async", got.Header.Get("Preference-Applied"))
		assert.Equal(t, http.StatusAccepted, b.post("/wait", "").StatusCode)
		got = b.post("/onprefer", "")
		assert.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#too-many-watchers")
		assert.Equal(t, "5", got.Header.Get("Retry-After"))
		assert.Zero(t, time.Since(start))
		page, err := b.store.List(t.Context(), store.Query{})
		require.NoError(t, err)
		assert.Len(t, page.Jobs, 3, "the refused request became no job")
		<-polling
		assert.Equal(t, http.StatusCreated, b.post("/onprefer", "").StatusCode, "there is room again")
	}, ginasync.WithMaxWatchers(1))

	inBubble(t, "is cut short by a shutdown", paces, func(t *testing.T, b *bubble) {
		waiting := b.background(t.Context(), http.MethodPost, "/wait", "Prefer", "respond-async, wait=30")
		counting := b.background(t.Context(), http.MethodPost, "/never")
		start := time.Now()
		require.NoError(t, b.server.Shutdown(t.Context()))
		got := <-waiting
		assert.Equal(t, http.StatusAccepted, got.StatusCode)
		assert.Equal(t, "respond-async", got.Header.Get("Preference-Applied"))
		got = <-counting
		assert.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#answer-not-awaited")
		assert.Regexp(t, "^/jobs/[a-z2-7]{27}$", got.Header.Get("Location"))
		assert.Less(t, time.Since(start), time.Second)
	})

	inBubbleOn(t, "answers 202 when the store does not show the job any more", func() store.Store {
		return forgetfulStore{memstore.New()}
	}, paces, func(t *testing.T, b *bubble) {
		got := b.post("/always", "", "Prefer", "wait=20")
		assert.Equal(t, http.StatusAccepted, got.StatusCode, "the job is stored all the same")
		assert.Empty(t, got.Header.Get("Preference-Applied"))
		got = b.post("/onprefer", "")
		assert.Contains(t, got.problem(t).Type, "#answer-not-awaited")
	})

	inBubble(t, "keeps within the server's timeout when a middleware hides the connection", func(r *gin.Engine) {
		r.Use(func(c *gin.Context) { c.Writer = hiding{c.Writer} })
		paces(r)
	}, func(t *testing.T, b *bubble) {
		b.serve(func(s *http.Server) { s.WriteTimeout = 10 * time.Second })
		assert.Contains(t, b.post("/minutes", "").problem(t).Type, "#answer-not-awaited")
	})
}

// forgetfulStore does not show its jobs.
type forgetfulStore struct{ store.Store }

func (forgetfulStore) Get(context.Context, string) (store.Job, error) {
	return store.Job{}, errors.New("no memory")
}

// only returns the id of the only job.
func (b *bubble) only() string {
	b.t.Helper()
	synctest.Wait()
	page, err := b.store.List(b.t.Context(), store.Query{})
	require.NoError(b.t, err)
	require.Len(b.t, page.Jobs, 1)
	return page.Jobs[0].ID
}
