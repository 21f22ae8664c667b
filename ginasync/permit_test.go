package ginasync_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// expectedAnswers are what the owner of a queued job gets, by action.
func expectedAnswers() map[ginasync.Action]struct {
	idRequest
	code int
} {
	type expected = struct {
		idRequest
		code int
	}
	return map[ginasync.Action]expected{
		ginasync.ActionRead:   {idRequest{http.MethodGet, "", nil}, http.StatusOK},
		ginasync.ActionResult: {idRequest{http.MethodGet, "/result", nil}, http.StatusConflict},
		ginasync.ActionEvents: {idRequest{http.MethodHead, "/events", nil}, http.StatusOK},
		ginasync.ActionRetry:  {idRequest{http.MethodPost, "/retry", nil}, http.StatusConflict},
		ginasync.ActionCancel: {idRequest{http.MethodPost, "/cancel", nil}, http.StatusOK},
		ginasync.ActionDelete: {idRequest{http.MethodDelete, "", nil}, http.StatusAccepted},
	}
}

func TestOwnersFollowTheirJobs(t *testing.T) {
	a := startApp(t, gin.New(), memstore.New(), ginasync.WithoutWorkers(), ginasync.WithOwner(byUser))
	for action, expected := range expectedAnswers() {
		id := jobIn(t, a.store, "ann", store.Queued)
		assert.Equal(t, expected.code, a.ask(expected.idRequest, id, "User", "ann").StatusCode, action)
	}
	id := jobIn(t, a.store, "ann", store.Queued)
	job, err := a.jobs.Get(t.Context(), id)
	require.NoError(t, err, "code is asked for no owner")
	assert.Equal(t, "ann", job.Owner)
}

func TestWithAdmin(t *testing.T) {
	isRoot := func(c *gin.Context) bool { return c.GetHeader("User") == "root" || c.GetHeader("Staff") != "" }
	t.Run("lets some follow the jobs of all", func(t *testing.T) {
		a := startApp(t, gin.New(), memstore.New(), ginasync.WithoutWorkers(), ginasync.WithOwner(byUser), ginasync.WithAdmin(isRoot))
		for action, expected := range expectedAnswers() {
			for _, owner := range []string{"ann", "root", ""} {
				id := jobIn(t, a.store, owner, store.Queued)
				assert.Equal(t, http.StatusNotFound, a.ask(expected.idRequest, id, "User", "bob").StatusCode, action)
				assert.Equal(t, expected.code, a.ask(expected.idRequest, id, "User", "root").StatusCode, action)
				assert.NotEqual(t, http.StatusNotFound, a.ask(expected.idRequest, id, "Staff", "nobody by name").StatusCode, action)
			}
		}
	})

	t.Run("leaves to WithAuthorize what they may do", func(t *testing.T) {
		a := startApp(t, gin.New(), memstore.New(), ginasync.WithoutWorkers(), ginasync.WithOwner(byUser), ginasync.WithAdmin(isRoot),
			ginasync.WithAuthorize(func(c *gin.Context, job ginasync.Job, action ginasync.Action) error {
				if job.Owner != byUser(c) && action != ginasync.ActionRead {
					return errors.New("admins look and do not touch")
				}
				return nil
			}))
		id := jobIn(t, a.store, "ann", store.Queued)
		assert.Equal(t, http.StatusOK, a.get("/jobs/"+id, "User", "root").StatusCode)
		assert.Equal(t, http.StatusForbidden, a.post("/jobs/"+id+"/cancel", "", "User", "root").StatusCode)
		assert.Equal(t, http.StatusOK, a.post("/jobs/"+id+"/cancel", "", "User", "ann").StatusCode)
	})
}

func TestWithAuthorize(t *testing.T) {
	var mu sync.Mutex
	var decision error
	var asked []string
	answerWith := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		decision, asked = err, nil
	}
	a := startApp(t, gin.New(), memstore.New(), ginasync.WithoutWorkers(),
		ginasync.WithAuthorize(func(_ *gin.Context, job ginasync.Job, action ginasync.Action) error {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, job.ID+string(action))
			return decision
		}))

	t.Run("is asked once about each action, with the job", func(t *testing.T) {
		for action, expected := range expectedAnswers() {
			id := jobIn(t, a.store, "", store.Queued)
			answerWith(nil)
			assert.Equal(t, expected.code, a.ask(expected.idRequest, id).StatusCode, action)
			assert.Equal(t, []string{id + string(action)}, asked)
		}
	})

	t.Run("refuses with 403, does nothing and keeps the reason", func(t *testing.T) {
		answerWith(errors.New("the reason"))
		for action, expected := range expectedAnswers() {
			id := jobIn(t, a.store, "", store.Queued)
			got := a.ask(expected.idRequest, id)
			assert.Equal(t, http.StatusForbidden, got.StatusCode, action)
			assert.NotContains(t, string(got.body), "the reason")
			if expected.method != http.MethodHead {
				assert.Contains(t, got.problem(t).Type, "#forbidden")
			}
			job, err := a.store.Get(t.Context(), id)
			require.NoError(t, err)
			assert.EqualValues(t, 1, job.Version)
		}
	})

	t.Run("answers with a problem as it is", func(t *testing.T) {
		id := jobIn(t, a.store, "", store.Queued)
		for status, want := range map[int]int{http.StatusPaymentRequired: http.StatusPaymentRequired, 0: http.StatusForbidden} {
			answerWith(fmt.Errorf("wrapped: %w", &ginasync.Problem{Type: "https://example.com/pay", Title: "Pay", Status: status}))
			got := a.get("/jobs/" + id)
			assert.Equal(t, want, got.StatusCode)
			assert.Equal(t, ginasync.Problem{Type: "https://example.com/pay", Title: "Pay", Status: want}, got.problem(t))
		}
		answerWith((*ginasync.Problem)(nil))
		assert.Equal(t, http.StatusForbidden, a.get("/jobs/"+id).StatusCode)
	})

	t.Run("hides a job with store.ErrNotFound", func(t *testing.T) {
		answerWith(fmt.Errorf("wrapped: %w", store.ErrNotFound))
		id := jobIn(t, a.store, "", store.Queued)
		for _, request := range idRequests() {
			assert.Equal(t, onTheWire(t, a.ask(request, store.NewID('a'))), onTheWire(t, a.ask(request, id)), request)
		}
	})
}

func TestPermissionCostsOnlyThoseWhoAskForIt(t *testing.T) {
	allow := ginasync.WithAuthorize(func(*gin.Context, ginasync.Job, ginasync.Action) error { return nil })
	for name, test := range map[string]struct {
		opts  []ginasync.Option
		extra int32
	}{
		"no option":     {nil, 0},
		"WithOwner":     {[]ginasync.Option{ginasync.WithOwner(byUser)}, 1},
		"WithAuthorize": {[]ginasync.Option{allow}, 1},
	} {
		counted := &countedStore{Store: memstore.New()}
		a := startApp(t, gin.New(), counted, append(test.opts, ginasync.WithoutWorkers())...)
		for action, expected := range expectedAnswers() {
			id := jobIn(t, a.store, "ann", store.Queued)
			want := map[ginasync.Action]int32{
				ginasync.ActionRead: 1, ginasync.ActionEvents: 1, ginasync.ActionResult: 0, ginasync.ActionRetry: 1,
				ginasync.ActionCancel: test.extra, ginasync.ActionDelete: test.extra,
			}[action]
			before := counted.gets.Load()
			require.Equal(t, expected.code, a.ask(expected.idRequest, id, "User", "ann").StatusCode)
			assert.Equal(t, want, counted.gets.Load()-before, "%s, %s: times the job was read for its own sake", name, action)
		}
	}
}

// countedStore counts how often a job is read.
type countedStore struct {
	store.Store
	gets atomic.Int32
}

func (s *countedStore) Get(ctx context.Context, id string) (store.Job, error) {
	s.gets.Add(1)
	return s.Store.Get(ctx, id)
}
