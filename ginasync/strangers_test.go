package ginasync_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httputil"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// idRequest is a request about a job.
type idRequest struct {
	method, path string // the path behind the id
	header       []string
}

func (r idRequest) String() string { return fmt.Sprint(r.method, " /jobs/:id", r.path, " ", r.header) }

func (a *app) ask(r idRequest, id string, header ...string) answer {
	a.t.Helper()
	return a.do(r.method, "/jobs/"+id+r.path, nil, append(header, r.header...)...)
}

// idRequests are all that can be asked of a job, waits and streams included.
func idRequests() []idRequest {
	return []idRequest{
		{http.MethodGet, "", nil},
		{http.MethodHead, "", nil},
		{http.MethodGet, "", []string{"If-None-Match", "*"}},
		{http.MethodGet, "", []string{"Prefer", "wait=1"}},
		{http.MethodGet, "", []string{"Prefer", "wait=1", "If-None-Match", `"1"`}},
		{http.MethodGet, "/result", nil},
		{http.MethodHead, "/result", nil},
		{http.MethodGet, "/result", []string{"Prefer", "wait=1"}},
		{http.MethodGet, "/events", nil},
		{http.MethodHead, "/events", nil},
		{http.MethodGet, "/events", []string{"Last-Event-ID", "99"}},
		{http.MethodGet, "/events", []string{"Accept", "application/json"}},
		{http.MethodPost, "/cancel", nil},
		{http.MethodPost, "/retry", nil},
		{http.MethodDelete, "", nil},
	}
}

// onTheWire is an answer as it was sent, but for its date.
func onTheWire(t *testing.T, a answer) string {
	t.Helper()
	a.Header.Del("Date")
	head, err := httputil.DumpResponse(a.Response, false)
	require.NoError(t, err)
	return string(head) + string(a.body)
}

// jobIn stores a job of an owner and brings it into a state.
func jobIn(t *testing.T, s store.Store, owner string, state store.State) string {
	t.Helper()
	job := store.NewJob{Route: "POST /x", Queue: "default", Owner: owner, MaxAttempts: 4, Retention: time.Hour}
	if state == store.Scheduled {
		job.Delay = time.Hour
	}
	return jobFrom(t, s, job, state)
}

func jobFrom(t *testing.T, s store.Store, job store.NewJob, state store.State) string {
	t.Helper()
	stored, _, err := s.Create(t.Context(), job)
	require.NoError(t, err)
	switch state {
	case store.Queued, store.Scheduled:
		return stored.ID
	case store.Canceled:
		_, err := s.Cancel(t.Context(), stored.ID)
		require.NoError(t, err)
		return stored.ID
	case store.InProgress, store.Completed, store.Failed:
	}
	session, err := s.Join(t.Context(), "test", patience)
	require.NoError(t, err)
	batch, err := session.Claim(t.Context(), []store.Want{{Queue: "default", Max: 1}})
	require.NoError(t, err)
	require.Len(t, batch.Claims, 1)
	require.Equal(t, stored.ID, batch.Claims[0].Job.ID)
	switch state {
	case store.Completed:
		_, err = session.Settle(t.Context(), batch.Claims[0].Ref, store.Complete(store.Result{Response: store.Response{Status: 204}}))
	case store.Failed:
		_, err = session.Settle(t.Context(), batch.Claims[0].Ref, store.Fail(store.WorkerLost(), nil))
	case store.Queued, store.Scheduled, store.InProgress, store.Canceled:
	}
	require.NoError(t, err)
	return stored.ID
}

// everyJob stores a job of an owner in each state. Those that a claim takes come first,
// so that it takes no other.
func everyJob(t *testing.T, s store.Store, owner string) map[store.State]string {
	t.Helper()
	ids := make(map[store.State]string)
	for _, state := range []store.State{
		store.InProgress, store.Completed, store.Failed, store.Canceled, store.Scheduled, store.Queued,
	} {
		ids[state] = jobIn(t, s, owner, state)
	}
	return ids
}

// TestStrangers is check 11 of the contract: nobody can tell the job of another from
// one that never was.
func TestStrangers(t *testing.T) {
	s := memstore.New()
	byAdmin := func(c *gin.Context) bool { return c.GetHeader("User") == "root" }
	a := startApp(t, gin.New(), s, ginasync.WithoutWorkers(), ginasync.WithOwner(byUser), ginasync.WithAdmin(byAdmin),
		ginasync.WithAuthorize(func(_ *gin.Context, job ginasync.Job, action ginasync.Action) error {
			t.Errorf("asked about %s of a job of %q that the caller cannot know", action, job.Owner)
			return nil
		}))
	a.client.Timeout = patience // a stream that is opened does not end
	hidden := everyJob(t, s, "ann")
	hidden["nobody's"] = jobIn(t, s, "", store.Queued)
	hidden["another case"] = jobIn(t, s, "BOB", store.Queued)
	hidden["longer"] = jobIn(t, s, "bobby", store.Queued)
	hidden["over long ago"] = expired(t, s, "ann")
	hidden["malformed"] = "A" + store.NewID('a')[1:]

	for _, user := range []string{"bob", ""} {
		for _, request := range idRequests() {
			want := onTheWire(t, a.ask(request, store.NewID('a'), "User", user))
			require.Contains(t, want, "404 Not Found\r\n", request)
			require.Contains(t, want, "Cache-Control: no-store\r\n", request)
			require.NotContains(t, want, "Retry-After", request)
			for name, id := range hidden {
				before, err := s.Get(t.Context(), id)
				assert.Equal(t, want, onTheWire(t, a.ask(request, id, "User", user)), "%s: a job that is %s, asked by %q", request, name, user)
				after, err2 := s.Get(t.Context(), id)
				assert.Equal(t, before, after, "%s: a job that is %s", request, name)
				assert.Equal(t, err, err2)
			}
		}
	}
}

// expired stores a job whose retention is over.
func expired(t *testing.T, s store.Store, owner string) string {
	t.Helper()
	id := jobFrom(t, s, store.NewJob{
		Route: "POST /x", Queue: "gone", Owner: owner, MaxAttempts: 1, Retention: time.Millisecond,
	}, store.Canceled)
	require.Eventually(t, func() bool {
		_, err := s.Get(t.Context(), id)
		return err != nil
	}, patience, time.Millisecond)
	return id
}

// TestMalformedIDs is check 25 of the contract.
func TestMalformedIDs(t *testing.T) {
	a := startApp(t, gin.New(), silentStore{memstore.New(), t}, ginasync.WithoutWorkers(), ginasync.WithOwner(byUser))
	for _, id := range []string{"x", "%00", "..%2f", "A" + store.NewID('a')[1:], store.NewID('a') + "a"} {
		for _, request := range idRequests() {
			assert.Equal(t, http.StatusNotFound, a.ask(request, id, "User", "ann").StatusCode, "%s %s", request, id)
		}
	}
}

// silentStore must not be asked for any job.
type silentStore struct {
	store.Store
	t *testing.T
}

func (s silentStore) asked(id string) error {
	s.t.Errorf("the store was asked for %q", id)
	return store.ErrNotFound
}

func (s silentStore) Get(_ context.Context, id string) (store.Job, error) {
	return store.Job{}, s.asked(id)
}

func (s silentStore) Result(_ context.Context, id string) (store.Job, []byte, error) {
	return store.Job{}, nil, s.asked(id)
}

func (s silentStore) Cancel(_ context.Context, id string) (store.Job, error) {
	return store.Job{}, s.asked(id)
}

func (s silentStore) Retry(_ context.Context, id string, _ int) (store.Job, error) {
	return store.Job{}, s.asked(id)
}
func (s silentStore) Delete(_ context.Context, id string) error { return s.asked(id) }
func (s silentStore) Watch(_ context.Context, id string) (<-chan struct{}, error) {
	return nil, s.asked(id)
}
