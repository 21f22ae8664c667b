package ginasync_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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

var errDead = errors.New("this process is dead")

// mortal is the store as one process sees it, until that dies: from then on nothing it
// does reaches the store.
type mortal struct {
	store.Store
	dead   atomic.Bool
	doomed func(store.NewJob) bool // a Create of which kills the process before it
}

func (m *mortal) kill() { m.dead.Store(true) }

func (m *mortal) alive() error {
	if m.dead.Load() {
		return errDead
	}
	return nil
}

func (m *mortal) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	if m.doomed != nil && m.doomed(job) {
		m.kill()
	}
	if err := m.alive(); err != nil {
		return store.Job{}, false, err
	}
	return m.Store.Create(ctx, job)
}

func (m *mortal) Reclaim(ctx context.Context, limit int) (int, error) {
	if err := m.alive(); err != nil {
		return 0, err
	}
	return m.Store.Reclaim(ctx, limit)
}

func (m *mortal) Join(ctx context.Context, name string, lease time.Duration) (store.Session, error) {
	if err := m.alive(); err != nil {
		return nil, err
	}
	session, err := m.Store.Join(ctx, name, lease)
	return &mortalSession{session, m}, err
}

type mortalSession struct {
	store.Session
	m *mortal
}

func (s *mortalSession) Claim(ctx context.Context, want []store.Want) (store.Batch, error) {
	if err := s.m.alive(); err != nil {
		return store.Batch{}, err
	}
	return s.Session.Claim(ctx, want)
}

func (s *mortalSession) Settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	if err := s.m.alive(); err != nil {
		return "", err
	}
	return s.Session.Settle(ctx, ref, outcome)
}

func (s *mortalSession) Release(ctx context.Context, ref store.Ref, delay time.Duration) error {
	if err := s.m.alive(); err != nil {
		return err
	}
	return s.Session.Release(ctx, ref, delay)
}

func (s *mortalSession) Renew(ctx context.Context) (store.Renewal, error) {
	if err := s.m.alive(); err != nil {
		return store.Renewal{}, err
	}
	return s.Session.Renew(ctx)
}

func (s *mortalSession) Leave(ctx context.Context) error {
	if err := s.m.alive(); err != nil {
		return err
	}
	return s.Session.Leave(ctx)
}

// inCrash runs a test with an application whose process can die, and the hook.
func inCrash(t *testing.T, name string, routes func(r *gin.Engine), test func(t *testing.T, b *bubble, m *mortal, h *hook)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHook(t)
			h.serve()
			m := &mortal{Store: memstore.New()}
			b := &bubble{app: &app{t: t, store: m.Store}, routes: routes}
			r := gin.New()
			routes(r)
			var err error
			b.jobs, err = ginasync.New(r, append(h.options(), ginasync.WithStore(m), ginasync.WithLogger(slog.New(slog.DiscardHandler)))...)
			require.NoError(t, err)
			b.jobs.Routes(r.Group("/jobs"))
			b.engine = r
			require.NoError(t, b.jobs.Start(t.Context()))
			b.serve(func(*http.Server) {})
			t.Cleanup(func() { _ = b.jobs.Shutdown(context.Background()) }) // it is dead
			test(t, b, m, h)
		})
	})
}

// isDelivery tells the job that is a delivery.
func isDelivery(job store.NewJob) bool { return job.Route == ginasync.DeliveryRoute }

func TestWebhooksSurviveACrash(t *testing.T) {
	inCrash(t, "while a message is on its way: another process sends it again, with the same id", someRoutes, func(t *testing.T, b *bubble, m *mortal, h *hook) {
		h.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		b.submit("/fine", "")
		first := h.only()
		m.kill()
		h.answers(nil)
		b.beside(h.options()...)
		time.Sleep(time.Minute)
		got := h.got()
		require.Equal(t, 2, len(got))
		assert.Equal(t, first.id, got[1].id)
		assert.Equal(t, first.body, got[1].body)
	})

	inCrash(t, "between the end of the job and the storing of the delivery", someRoutes, func(t *testing.T, b *bubble, m *mortal, h *hook) {
		m.doomed = isDelivery
		id := b.submit("/fine", "")
		b.finish(id)
		synctest.Wait()
		require.True(t, m.dead.Load())
		b.beside(h.options()...)
		time.Sleep(2 * time.Minute)
		got := h.only()
		assert.Equal(t, id, got.job.ID)
		assert.Equal(t, "job.completed", got.event.Type)
	})

	inCrash(t, "in every attempt: the job fails with its worker lost, and that is told", func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(func(c *gin.Context) { <-c.Done() }, ginasync.MaxAttempts(1)))
	}, func(t *testing.T, b *bubble, m *mortal, h *hook) {
		id := b.submit("/x", "")
		b.awaitState(id, store.InProgress)
		m.kill()
		b.beside(h.options()...)
		time.Sleep(2 * time.Minute)
		got := h.only()
		assert.Equal(t, "job.failed", got.event.Type)
		assert.Contains(t, got.job.Error.Type, "#worker-lost")
	})

	inCrash(t, "while the lookout is being stored: there is no 202", someRoutes, func(t *testing.T, b *bubble, m *mortal, h *hook) {
		m.doomed = func(job store.NewJob) bool { return job.Route == ginasync.LookoutRoute }
		got := b.post("/later", "")
		assert.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#store-unavailable", "whether there is a job is not said")
	})

	inCrash(t, "of a retried job, whose first end was told", someRoutes, func(t *testing.T, b *bubble, m *mortal, h *hook) {
		id := b.submit("/bad", "")
		first := h.only()
		time.Sleep(time.Minute) // the lookout has ended with the job
		assert.Empty(t, waiting(t, b.store, ""))
		m.doomed = func(job store.NewJob) bool {
			return isDelivery(job) && !strings.Contains(job.Key, "\x00"+strconv.FormatInt(first.job.Version, 10)+"\x00")
		}
		_, err := b.jobs.Retry(t.Context(), id)
		require.NoError(t, err)
		synctest.Wait()
		b.finish(id)
		b.beside(h.options()...)
		time.Sleep(2 * time.Minute)
		got := h.got()
		require.Equal(t, 2, len(got))
		assert.Greater(t, got[1].job.Version, first.job.Version)
	})
}

func TestWebhookLookout(t *testing.T) {
	withHook(t, "a job that runs for hours is looked at every two minutes, and no attempt is counted", someRoutes, func(t *testing.T, b *bubble, _ *hook) {
		b.submit("/slow", "")
		time.Sleep(25 * time.Minute) // its attempts may take 30
		lookouts := waiting(t, b.store, ginasync.LookoutRoute)
		require.Len(t, lookouts, 1)
		assert.Zero(t, lookouts[0].Attempt)
		assert.LessOrEqual(t, time.Until(lookouts[0].DueAt), 2*time.Minute)
	})

	withHook(t, "a job that is removed in the moment it ends is told", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		require.NoError(t, b.jobs.Shutdown(t.Context()))
		m := &mortal{Store: b.store, doomed: isDelivery}
		b.beside(h.options(ginasync.WithStore(m))...)
		id := b.submit("/fine", "")
		synctest.Wait()
		require.True(t, m.dead.Load())
		_, removed, err := b.jobs.Delete(t.Context(), id)
		require.NoError(t, err)
		assert.True(t, removed)
		b.beside(h.options()...)
		time.Sleep(time.Minute)
		assert.Equal(t, id, h.only().job.ID)
	})

	withHook(t, "a waiting job that is deleted is canceled, and told", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		assert.Equal(t, http.StatusAccepted, b.do(http.MethodDelete, "/jobs/"+b.submit("/later", ""), nil).StatusCode)
		assert.Equal(t, "job.canceled", h.only().event.Type)
	})

	withHook(t, "one whose job was removed ends", someRoutes, func(t *testing.T, b *bubble, h *hook) {
		id := b.submit("/fine", "")
		h.only()
		require.NoError(t, b.store.Delete(t.Context(), id))
		time.Sleep(time.Minute)
		assert.Empty(t, waiting(t, b.store, ""))
	})
}

// TestOneEventPerEnd cancels jobs while their handlers return.
func TestOneEventPerEnd(t *testing.T) {
	const jobs = 200
	var mu sync.Mutex
	told := map[string][]string{}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		id := r.Header.Get("webhook-id")
		told[id] = append(told[id], r.Header.Get("webhook-timestamp"))
	}))
	defer receiver.Close()
	host := strings.TrimPrefix(receiver.URL, "http://")
	a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) },
		ginasync.WithWebhookSecrets(host, hookSecret), ginasync.WithWebhooks(receiver.URL))
	var cancels sync.WaitGroup
	ends := map[string]bool{}
	for range jobs {
		id := a.submit("/x", "")
		cancels.Go(func() { _, _ = a.jobs.Cancel(t.Context(), id) })
		ends[id] = true
	}
	cancels.Wait()
	states := map[store.State]int{}
	for id := range ends {
		states[a.finish(id).State]++
	}
	assert.Equal(t, jobs, states[store.Completed]+states[store.Canceled])
	require.Eventually(t, func() bool {
		page, err := a.store.List(t.Context(), store.Query{
			Owner: ginasync.DeliveryOwner, Route: ginasync.DeliveryRoute, Limit: 1,
			States: []store.State{store.Queued, store.Scheduled, store.InProgress},
		})
		mu.Lock()
		defer mu.Unlock()
		return err == nil && len(page.Jobs) == 0 && len(told) == jobs
	}, patience, 10*time.Millisecond)
	mu.Lock()
	defer mu.Unlock()
	for id, deliveries := range told {
		assert.Len(t, deliveries, 1, id)
		assert.True(t, ends[strings.Split(id, "_")[1]])
	}
	t.Logf("%v", states)
}
