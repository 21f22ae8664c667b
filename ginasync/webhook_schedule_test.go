package ginasync_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWebhookSchedule(t *testing.T) {
	withHook(t, "what is refused is sent again: the same id and body, a fresh timestamp", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		h.answers(status(http.StatusInternalServerError))
		b.submit("/fine", "")
		time.Sleep(45 * time.Minute)
		got := h.got()
		require.Len(t, got, 4)
		for i, want := range []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute} {
			pause := got[i+1].came.Sub(got[i].came)
			assert.GreaterOrEqual(t, pause, want, "pause %d", i+1)
			assert.LessOrEqual(t, pause, want+want/10+time.Second, "pause %d", i+1)
		}
		for _, m := range got {
			assert.Equal(t, got[0].id, m.id)
			assert.Equal(t, got[0].body, m.body)
			assert.Less(t, m.came.Sub(m.at), time.Second, "signed when it was sent")
		}
		assert.Equal(t, 10, waiting(t, b.store, ginasync.DeliveryRoute)[0].MaxAttempts)
	})

	withHook(t, "a delivery that succeeds in the end is over", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		h.answers(status(http.StatusBadRequest)) // whatever a receiver means by it
		b.submit("/fine", "")
		h.only()
		h.answers(nil)
		time.Sleep(time.Hour)
		assert.Equal(t, 2, h.count())
	})

	for _, code := range []int{301, 302, 303, 307, 308} {
		withHook(t, http.StatusText(code)+" is a failure, and not followed", someRoutes, func(t *testing.T, b *bubble, h *hook) {
			h.answers(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://elsewhere.test/", code) })
			b.submit("/fine", "")
			time.Sleep(time.Minute)
			got := h.got()
			require.Len(t, got, 2)
			assert.Equal(t, "hooks.test/jobs", got[0].to)
			assert.Equal(t, "hooks.test/jobs", got[1].to)
		})
	}

	withHook(t, "410 ends it", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		h.answers(status(http.StatusGone))
		b.submit("/fine", "")
		time.Sleep(time.Minute)
		assert.Equal(t, 1, h.count())
		assert.Empty(t, waiting(t, b.store, ""))
	})

	for code, want := range map[int]time.Duration{
		429: time.Hour, 502: time.Hour, 503: time.Hour, 504: time.Hour, 500: 5 * time.Second,
	} {
		withHook(t, "Retry-After of "+http.StatusText(code), someRoutes, func(t *testing.T, b *bubble, h *hook) {
			h.answers(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(code)
			})
			b.submit("/fine", "")
			h.only()
			due := time.Until(waiting(t, b.store, ginasync.DeliveryRoute)[0].DueAt)
			assert.InDelta(t, want, due, float64(want)/5)
		})
	}

	withHook(t, "Retry-After does not hold up the schedule, nor for more than a day", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		h.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		b.submit("/fine", "")
		h.only()
		assert.Greater(t, time.Until(waiting(t, b.store, ginasync.DeliveryRoute)[0].DueAt), 4*time.Second)
		h.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "99999999")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		time.Sleep(6 * time.Second)
		assert.LessOrEqual(t, time.Until(waiting(t, b.store, ginasync.DeliveryRoute)[0].DueAt), 24*time.Hour)
	})
}

func TestWebhookReceiverHangs(t *testing.T) {
	withHook(t, "20 s are a failure, and others are served meanwhile", func(r *gin.Engine) {
		r.POST("/hangs", ginasync.Async(text("")))
		r.POST("/fine", ginasync.Async(text(""), ginasync.Webhook("http://fine.test/", "job.completed")))
	}, func(t *testing.T, b *bubble, h *hook) {
		h.answers(func(_ http.ResponseWriter, r *http.Request) {
			if r.Host == "hooks.test" {
				<-r.Context().Done()
			}
		})
		for range 10 {
			b.submit("/hangs", "")
		}
		synctest.Wait()
		assert.Equal(t, 2, h.count(), "half of the slots")
		b.submit("/fine", "")
		synctest.Wait()
		assert.Equal(t, "fine.test/", h.got()[2].to)
		time.Sleep(19 * time.Second)
		assert.Equal(t, 3, h.count())
		h.answers(nil)
		time.Sleep(10 * time.Minute)
		assert.Empty(t, waiting(t, b.store, ""))
		ids := map[string]bool{}
		for _, m := range h.got() {
			ids[m.id] = true
		}
		assert.Len(t, ids, 11)
		assert.GreaterOrEqual(t, h.count(), 13, "two timed out and came again")
	}, ginasync.WithQueue("webhooks", 4), ginasync.WithWebhookSecrets("fine.test", hookSecret))
}

func TestWebhookReceiverIsAwayForLong(t *testing.T) {
	withHook(t, "its deliveries take half of the room, and jobs are accepted", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		h.answers(status(http.StatusInternalServerError))
		for range 12 {
			b.submit("/fine", "")
			synctest.Wait()
			time.Sleep(time.Minute) // the lookouts have ended
		}
		assert.Len(t, waiting(t, b.store, ""), 5)
	}, ginasync.WithMaxQueued(10))
}

func TestWebhookOptionsOfAnotherTime(t *testing.T) {
	t.Run("a delivery to a host that this process has no secret for is tried again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHook(t)
			h.serve()
			b := newBubble(t, someRoutes, h.options(ginasync.WithoutWorkers())...)
			_, err := b.jobs.Cancel(t.Context(), b.submit("/later", ""))
			require.NoError(t, err)
			old := b.beside(h.transport(), ginasync.WithWebhookSecrets("elsewhere.test", hookSecret))
			synctest.Wait()
			assert.Zero(t, h.count())
			require.NoError(t, old.Shutdown(t.Context()))
			b.beside(h.options()...)
			time.Sleep(time.Minute)
			assert.Equal(t, store.Canceled, h.only().job.State)
		})
	})

	t.Run("so is what this process has no key to read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHook(t)
			h.serve()
			b := newBubble(t, someRoutes, h.options(ginasync.WithoutWorkers(), ginasync.WithEncryption(key(1)))...)
			_, err := b.jobs.Cancel(t.Context(), b.submit("/later", ""))
			require.NoError(t, err)
			keyless := b.beside(h.options()...)
			time.Sleep(15 * time.Second) // the delivery was tried, and the lookout
			assert.Zero(t, h.count())
			require.NoError(t, keyless.Shutdown(t.Context()))
			b.beside(h.options(ginasync.WithEncryption(key(2), key(1)))...)
			time.Sleep(time.Hour)
			h.only()
			assert.Empty(t, waiting(t, b.store, ""))
		})
	})
}
