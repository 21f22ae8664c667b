package ginasync_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withHook runs a test in a bubble with an application whose events go to a hook.
func withHook(t *testing.T, name string, routes func(r *gin.Engine), test func(t *testing.T, b *bubble, h *hook), opts ...ginasync.Option) {
	t.Helper()
	var h *hook
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h = newHook(t)
			h.serve()
			b := newBubble(t, routes, h.options(opts...)...)
			test(t, b, h)
		})
	})
}

// someRoutes answer 200, 418 (which is not tried again) and not at all until they are cancelled.
func someRoutes(r *gin.Engine) {
	r.POST("/fine", ginasync.Async(text("the result")))
	r.POST("/bad", ginasync.Async(func(c *gin.Context) { c.String(http.StatusTeapot, "no") }))
	r.POST("/slow", ginasync.Async(func(c *gin.Context) {
		_ = ginasync.Progress(c, 50, "half")
		<-c.Done()
	}))
	r.POST("/later", ginasync.Async(text("later"), ginasync.Delay(time.Hour)))
}

func TestWebhookEvents(t *testing.T) {
	withHook(t, "a job that completes is told at once, without its result", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		id := b.submit("/fine", "the request")
		got := h.only()
		job, err := b.jobs.Get(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, "hooks.test/jobs", got.to)
		assert.Equal(t, "msg_"+id+"_"+strconv.FormatInt(job.Version, 10), got.id)
		assert.Equal(t, "application/json", got.header.Get("Content-Type"))
		assert.Equal(t, "job.completed", got.event.Type)
		assert.True(t, got.event.Timestamp.Equal(job.FinishedAt.Truncate(time.Millisecond)))
		assert.Equal(t, id, got.job.ID)
		assert.Equal(t, store.Completed, got.job.State)
		assert.True(t, got.job.Done)
		assert.Equal(t, job.Version, got.job.Version)
		assert.Equal(t, "POST /fine", got.job.Route)
		assert.Equal(t, http.StatusOK, got.job.Response.Status)
		assert.Equal(t, "https://api.test/jobs/"+id+"/result", got.job.Links.Result)
		assert.Nil(t, got.job.Progress)
		assert.NotContains(t, got.body, "the result")
		assert.NotContains(t, got.body, "the request")
		assert.Less(t, len(got.body), 20_000)
	})

	withHook(t, "a job that fails is told with the error", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		b.submit("/bad", "")
		got := h.only()
		assert.Equal(t, "job.failed", got.event.Type)
		assert.Equal(t, http.StatusTeapot, got.job.Error.Status)
	})

	withHook(t, "a job that is canceled while it waits is told, once", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		id := b.submit("/later", "")
		for range 3 {
			assert.Equal(t, http.StatusOK, b.post("/jobs/"+id+"/cancel", "").StatusCode)
		}
		assert.Equal(t, "job.canceled", h.only().event.Type)
	})

	withHook(t, "a job that is canceled while it runs is told when it has stopped", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		id := b.submit("/slow", "")
		synctest.Wait()
		assert.Equal(t, http.StatusAccepted, b.post("/jobs/"+id+"/cancel", "").StatusCode)
		got := h.only()
		assert.Equal(t, "job.canceled", got.event.Type)
		assert.Nil(t, got.job.Progress)
	})

	withHook(t, "whatever is written in a header, a message is small", func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(func(c *gin.Context) { c.Data(http.StatusOK, strings.Repeat("x", 100_000), nil) }))
	}, func(t *testing.T, b *bubble, h *hook) {
		b.submit("/x", "")
		assert.Less(t, len(h.only().body), 20_000)
	})

	withHook(t, "nothing is told twice, and nothing is left when the retention is over", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		b.submit("/fine", "")
		b.submit("/bad", "")
		time.Sleep(9 * time.Minute)
		assert.Equal(t, 2, h.count())
		assert.Empty(t, waiting(t, b.store, ""))
		time.Sleep(2 * time.Minute)
		assert.Equal(t, store.Stats{Sessions: 1}, b.stats())
		assert.Equal(t, 2, h.count())
	}, ginasync.WithDefaults(ginasync.Retention(10*time.Minute)))
}

func TestWebhookReceivers(t *testing.T) {
	routes := func(r *gin.Engine) {
		r.POST("/fine", ginasync.Async(text(""), ginasync.Webhook("http://hooks.test/fine"), ginasync.Webhook("http://hooks.test/none", "job.failed")))
		r.POST("/twice", ginasync.Async(text(""), ginasync.Webhook(hookURL)))
		r.POST("/other", ginasync.Async(text("")))
	}
	withHook(t, "each route has those of all and its own, by event, each once", routes, func(t *testing.T, b *bubble, h *hook) {
		for _, path := range []string{"/fine", "/twice", "/other"} {
			b.submit(path, "")
		}
		synctest.Wait()
		var to []string
		ids := map[string]bool{}
		for _, m := range h.got() {
			to = append(to, m.to+" "+m.job.Route)
			ids[m.id] = true
		}
		assert.ElementsMatch(t, []string{
			"hooks.test/fine POST /fine", "hooks.test/jobs POST /fine", "hooks.test/jobs POST /twice", "hooks.test/jobs POST /other",
		}, to)
		assert.Len(t, ids, 3, "the id is that of the event")
	})

	t.Run("a route without any costs no further job", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, func(r *gin.Engine) {
				r.POST("/x", ginasync.Async(text(""), ginasync.Delay(time.Hour)))
				r.POST("/y", ginasync.Async(text(""), ginasync.Delay(time.Hour), ginasync.Webhook(hookURL)))
			}, ginasync.WithWebhookSecrets("hooks.test", hookSecret))
			b.submit("/x", "")
			assert.Equal(t, 1, b.stats().Scheduled)
			b.submit("/y", "")
			assert.Equal(t, 3, b.stats().Scheduled, "the job and its lookout")
		})
	})
}

func TestWebhookRetry(t *testing.T) {
	withHook(t, "each end of a job that is tried again is an event of its own", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		id := b.submit("/bad", "")
		h.only()
		assert.Equal(t, http.StatusAccepted, b.post("/jobs/"+id+"/retry", "").StatusCode)
		synctest.Wait()
		got := h.got()
		require.Len(t, got, 2)
		assert.NotEqual(t, got[0].id, got[1].id)
		assert.Less(t, got[0].job.Version, got[1].job.Version)
		time.Sleep(time.Hour)
		assert.Equal(t, 2, h.count())
	})
}

// TestWebhookJobsAreHidden: the jobs that webhooks are made of are nobody's.
func TestWebhookJobsAreHidden(t *testing.T) {
	withHook(t, "with owners nobody finds them, and they have no events of their own", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		h.answers(status(http.StatusInternalServerError))
		id := b.post("/fine", "", "User", "ann").status(t).ID
		h.only()
		deliveries := waiting(t, b.store, ginasync.DeliveryRoute)
		require.Len(t, deliveries, 1)
		assert.Equal(t, http.StatusOK, b.get("/jobs/"+id, "User", "ann").StatusCode)
		assert.Equal(t, http.StatusNotFound, b.get("/jobs/"+deliveries[0].ID, "User", "ann").StatusCode)
		page, err := b.store.List(t.Context(), store.Query{Owner: "ann"})
		require.NoError(t, err)
		assert.Len(t, page.Jobs, 1)

		_, err = b.jobs.Cancel(t.Context(), deliveries[0].ID)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		assert.Equal(t, 1, h.count())
		assert.Empty(t, waiting(t, b.store, ""))
	}, ginasync.WithOwner(byUser))

	t.Run("no route can have their names", func(t *testing.T) {
		jobs, err := ginasync.New(engine(func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(text(""), ginasync.Name(ginasync.DeliveryRoute)))
		}))
		require.NoError(t, err)
		require.ErrorContains(t, jobs.Start(t.Context()), "the library's own")
	})
}
