package ginasync_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plainRoute is an application's only route, done at once.
func plainRoute(r *gin.Engine) { r.POST("/x", ginasync.Async(text("done"))) }

func TestStoreThatFailsLeavesTheIdempotencyKeyFree(t *testing.T) {
	t.Run("when the job was not stored: 503, and the repetition makes it", func(t *testing.T) {
		failing := &failingStore{Store: memstore.New()}
		a := startApp(t, engine(plainRoute), failing)
		failing.next.Store(int32(failsBefore))
		got := a.post("/x", "body", "Idempotency-Key", "k")
		assert.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#store-unavailable")
		assert.Equal(t, "5", got.Header.Get("Retry-After"))
		assert.Empty(t, got.Header.Get("Idempotent-Replayed"))
		assertNoJobs(t, a)

		got = a.post("/x", "another body", "Idempotency-Key", "k")
		require.Equal(t, http.StatusAccepted, got.StatusCode, "the key is free")
		assert.Empty(t, got.Header.Get("Idempotent-Replayed"))
		a.finish(got.status(t).ID)
	})

	t.Run("when only the answer was lost, the repetition finds the job", func(t *testing.T) {
		failing := &failingStore{Store: memstore.New()}
		a := startApp(t, engine(plainRoute), failing)
		failing.next.Store(int32(failsAfter))
		got := a.post("/x", "body", "Idempotency-Key", "k")
		assert.Equal(t, http.StatusServiceUnavailable, got.StatusCode)

		got = a.post("/x", "body", "Idempotency-Key", "k")
		require.Equal(t, http.StatusAccepted, got.StatusCode)
		assert.Equal(t, "true", got.Header.Get("Idempotent-Replayed"))
		a.finish(got.status(t).ID)
		assert.Equal(t, 1, jobsOf(t, a.store))
	})
}

// failingStore fails the next Create, before or after the job is stored.
type failingStore struct {
	store.Store
	next atomic.Int32
}

const (
	failsBefore = 1 + iota
	failsAfter
)

func (s *failingStore) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	fails := s.next.Swap(0)
	if fails == failsBefore {
		return store.Job{}, false, errors.New("no connection")
	}
	stored, created, err := s.Store.Create(ctx, job)
	if fails == failsAfter {
		return store.Job{}, false, errors.New("connection reset")
	}
	return stored, created, err
}

// jobsOf counts the jobs of a store.
func jobsOf(t *testing.T, s store.Store) int {
	t.Helper()
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	return stats.Queued + stats.Scheduled + stats.InProgress + stats.Finished
}

func TestParallelSubmitsWithOneIdempotencyKeyMakeOneJob(t *testing.T) {
	for name, managers := range map[string]int{"to one Manager": 1, "to two Managers on one store": 2} {
		t.Run(name, func(t *testing.T) {
			const clients = 16
			var runs atomic.Int32
			shared := memstore.New()
			apps := make([]*app, managers)
			for i := range apps {
				apps[i] = startApp(t, engine(func(r *gin.Engine) {
					r.POST("/x", ginasync.Async(func(c *gin.Context) { runs.Add(1); c.Status(http.StatusNoContent) }))
				}), shared)
			}
			answers := make([]answer, clients)
			var all sync.WaitGroup
			for i := range clients {
				all.Go(func() {
					answers[i] = apps[i%managers].post("/x", "body", "Idempotency-Key", `"one key"`)
				})
			}
			all.Wait()

			first := 0
			id := answers[0].status(t).ID
			for _, got := range answers {
				assert.Equal(t, http.StatusAccepted, got.StatusCode)
				assert.Equal(t, id, got.status(t).ID)
				assert.Equal(t, "/jobs/"+id, got.Header.Get("Location"))
				if got.Header.Get("Idempotent-Replayed") == "" {
					first++
				}
			}
			assert.Equal(t, 1, first, "all but one are told that they are repetitions")
			apps[0].finish(id)
			assert.EqualValues(t, 1, runs.Load())
			assert.Equal(t, 1, jobsOf(t, shared))
		})
	}
}

func TestIdempotencyKeyIsOfOneRequestOfOneOwner(t *testing.T) {
	a := newApp(t, func(r *gin.Engine) {
		plainRoute(r)
		r.POST("/y", ginasync.Async(text("done")))
	}, ginasync.WithOwner(byUser))
	first := a.submit("/x", "body", "User", "ann", "Idempotency-Key", "k")
	post := func(path, body, user string, header ...string) answer {
		return a.post(path, body, append(header, "User", user, "Idempotency-Key", "k")...)
	}

	t.Run("another body or query is 422 and stores nothing", func(t *testing.T) {
		before := jobsOf(t, a.store)
		for _, got := range []answer{
			post("/x", "other", "ann"), post("/x?a=1", "body", "ann"), post("/x", "body", "ann", "Content-Type", "text/csv"),
		} {
			assert.Equal(t, http.StatusUnprocessableEntity, got.StatusCode)
			assert.Contains(t, got.problem(t).Type, "#idempotency-key-reused")
			assert.Contains(t, got.problem(t).Detail, "a new key")
			assert.Empty(t, got.Header.Get("Idempotent-Replayed"))
			assert.Empty(t, got.Header.Get("Location"))
		}
		assert.Equal(t, before, jobsOf(t, a.store))
	})

	t.Run("another owner or route has keys of its own", func(t *testing.T) {
		for _, got := range []answer{post("/x", "body", "bob"), post("/y", "body", "ann"), post("/x", "other", "cleo")} {
			require.Equal(t, http.StatusAccepted, got.StatusCode)
			assert.Empty(t, got.Header.Get("Idempotent-Replayed"))
			assert.NotEqual(t, first, got.status(t).ID)
		}
		assert.Equal(t, "true", post("/x", "body", "ann").Header.Get("Idempotent-Replayed"))
	})

	t.Run("requests without a key are never taken for each other", func(t *testing.T) {
		one := a.submit("/x", "body", "User", "ann")
		other := a.submit("/x", "body", "User", "ann")
		assert.NotEqual(t, one, other)
	})
}

func TestQuotedAndBareIdempotencyKeysAreEqual(t *testing.T) {
	a := newApp(t, plainRoute)
	id := a.submit("/x", "body", "Idempotency-Key", "8e03978e")
	for _, field := range []string{`"8e03978e"`, `"8e03978e";attempt=2`, " 8e03978e "} {
		got := a.post("/x", "body", "Idempotency-Key", field)
		assert.Equal(t, id, got.status(t).ID, field)
		assert.Equal(t, "true", got.Header.Get("Idempotent-Replayed"), field)
	}
}

func TestRefusedSubmissionLeavesTheIdempotencyKeyFree(t *testing.T) {
	type named struct {
		Name string `json:"name" binding:"required"`
	}
	typed := func(context.Context, named) (struct{}, error) { return struct{}{}, nil }
	a := newApp(t, func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(text(""), ginasync.MaxBody(10)))
		r.POST("/typed", ginasync.AsyncFunc(typed))
	}, ginasync.WithoutWorkers(), ginasync.WithMaxQueued(1))
	jsonType := []string{"Content-Type", "application/json", "Idempotency-Key", "k"}
	assert.Equal(t, http.StatusRequestEntityTooLarge, a.post("/x", "12345678901", "Idempotency-Key", "k").StatusCode)
	assert.Equal(t, http.StatusBadRequest, a.post("/typed", "{}", jsonType...).StatusCode)
	waiting := a.submit("/x", "")
	assert.Equal(t, http.StatusServiceUnavailable, a.post("/x", "1", "Idempotency-Key", "k").StatusCode)

	cancel := func(id string) { assert.Equal(t, http.StatusOK, a.post("/jobs/"+id+"/cancel", "").StatusCode) }
	cancel(waiting)
	id := a.submit("/x", "2", "Idempotency-Key", "k")
	again := a.post("/x", "2", "Idempotency-Key", "k")
	assert.Equal(t, id, again.status(t).ID, "a repetition is no new job: no bound refuses it")
	cancel(id)
	a.submit("/typed", `{"name":"n"}`, jsonType...)
}

func TestMissingAndInvalidIdempotencyKeys(t *testing.T) {
	a := newApp(t, func(r *gin.Engine) {
		plainRoute(r)
		r.Any("/strict", ginasync.Async(text("done"), ginasync.RequireIdempotencyKey()))
	})
	for name, test := range map[string]struct {
		path   string
		header []string
		want   string
	}{
		"a missing one, where it is required": {"/strict", nil, "#idempotency-key-missing"},
		"an empty one":                        {"/x", []string{"Idempotency-Key", ""}, "#idempotency-key-invalid"},
		"an empty one, where it is required":  {"/strict", []string{"Idempotency-Key", `""`}, "#idempotency-key-invalid"},
		"one that is too long":                {"/x", []string{"Idempotency-Key", strings.Repeat("k", 256)}, "#idempotency-key-invalid"},
		"two of them":                         {"/x", []string{"Idempotency-Key", "a", "Idempotency-Key", "a"}, "#idempotency-key-invalid"},
		"one with an open quote":              {"/x", []string{"Idempotency-Key", `"a`}, "#idempotency-key-invalid"},
		"one that is not ASCII":               {"/x", []string{"Idempotency-Key", "ключ"}, "#idempotency-key-invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			got := a.post(test.path, "body", test.header...)
			assert.Equal(t, http.StatusBadRequest, got.StatusCode)
			problem := got.problem(t)
			assert.Contains(t, problem.Type, test.want)
			assert.Contains(t, problem.Detail, "send ", "it says how to mend it")
			assert.NotContains(t, problem.Detail, "ginasync")
			assertNoJobs(t, a)
		})
	}
	assert.Equal(t, http.StatusNoContent, a.do(http.MethodOptions, "/strict", nil).StatusCode)
	assert.Equal(t, "done", string(a.run("/strict", "body", "Idempotency-Key", "k").body))
}
