package ginasync_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCancelMatrix is the first half of check 16 of the contract.
func TestCancelMatrix(t *testing.T) {
	a := startApp(t, gin.New(), memstore.New(), ginasync.WithoutWorkers())
	ids := everyJob(t, a.store, "")
	for state, want := range map[store.State]struct {
		code, again int
		state       store.State
	}{
		store.Queued:     {200, 200, store.Canceled},
		store.Scheduled:  {200, 200, store.Canceled},
		store.InProgress: {202, 202, store.InProgress},
		store.Canceled:   {200, 200, store.Canceled},
		store.Completed:  {409, 409, store.Completed},
		store.Failed:     {409, 409, store.Failed},
	} {
		for _, code := range []int{want.code, want.again} {
			got := a.post("/jobs/"+ids[state]+"/cancel", "")
			assert.Equal(t, code, got.StatusCode, state)
			assert.NotEmpty(t, got.Header.Get("Cache-Control"), state)
			if code == http.StatusConflict {
				assert.Contains(t, got.problem(t).Type, "#job-not-cancelable")
				continue
			}
			document := got.status(t)
			assert.Equal(t, want.state, document.State)
			assert.Equal(t, state == store.InProgress, document.CancelRequestedAt != nil)
		}
		assert.Equal(t, want.state, a.get("/jobs/"+ids[state]).status(t).State)
	}
}

// TestDeleteMatrix is the second half of check 16 of the contract.
func TestDeleteMatrix(t *testing.T) {
	a := startApp(t, gin.New(), memstore.New(), ginasync.WithoutWorkers())
	ids := everyJob(t, a.store, "")
	for state, want := range map[store.State]struct{ code, again int }{
		store.Queued:     {202, 204},
		store.Scheduled:  {202, 204},
		store.InProgress: {202, 202}, // until its worker has stopped
		store.Canceled:   {204, 404},
		store.Completed:  {204, 404},
		store.Failed:     {204, 404},
	} {
		for _, code := range []int{want.code, want.again} {
			got := a.do(http.MethodDelete, "/jobs/"+ids[state], nil)
			assert.Equal(t, code, got.StatusCode, state)
			assert.NotEmpty(t, got.Header.Get("Cache-Control"), state)
			switch code {
			case http.StatusAccepted:
				document := got.status(t)
				assert.Equal(t, state != store.InProgress, document.State == store.Canceled)
				assert.Equal(t, state == store.InProgress, document.CancelRequestedAt != nil)
			case http.StatusNoContent:
				assert.Empty(t, got.body)
				assert.Equal(t, http.StatusNotFound, a.get("/jobs/"+ids[state]).StatusCode)
			}
		}
	}
}

func TestDelete(t *testing.T) {
	t.Run("stops a running job and then removes it", func(t *testing.T) {
		running := make(chan struct{})
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				close(running)
				<-c.Done()
			}))
		})
		id := a.submit("/x", "")
		<-running
		assert.Equal(t, http.StatusAccepted, a.do(http.MethodDelete, "/jobs/"+id, nil).StatusCode)
		assert.Equal(t, store.Canceled, a.finish(id).State)
		assert.Equal(t, http.StatusNoContent, a.do(http.MethodDelete, "/jobs/"+id, nil).StatusCode)
		assert.Equal(t, http.StatusNotFound, a.get("/jobs/"+id).StatusCode)
	})

	t.Run("does the same for code", func(t *testing.T) {
		a := startApp(t, gin.New(), memstore.New(), ginasync.WithoutWorkers(), ginasync.WithOwner(byUser))
		id := jobIn(t, a.store, "ann", store.Queued)
		job, removed, err := a.jobs.Delete(t.Context(), id)
		require.NoError(t, err)
		assert.False(t, removed)
		assert.Equal(t, store.Canceled, job.State)
		_, removed, err = a.jobs.Delete(t.Context(), id)
		require.NoError(t, err)
		assert.True(t, removed)
		for _, unknown := range []string{id, "nonsense"} {
			_, removed, err = a.jobs.Delete(t.Context(), unknown)
			require.ErrorIs(t, err, store.ErrNotFound)
			assert.False(t, removed)
		}
	})

	inBubble(t, "ends the wait of those who watch", func(*gin.Engine) {}, func(t *testing.T, b *bubble) {
		id := jobIn(t, b.store, "", store.Canceled)
		waits := b.poll("/jobs/"+id, "Prefer", "wait=30", "If-None-Match", `"2"`)
		begun := time.Now()
		assert.Equal(t, http.StatusNoContent, b.do(http.MethodDelete, "/jobs/"+id, nil).StatusCode)
		assert.Equal(t, http.StatusNotFound, (<-waits).StatusCode)
		assert.Zero(t, time.Since(begun))
	}, ginasync.WithoutWorkers())

	t.Run("removes a job that ends while it is being deleted", func(t *testing.T) {
		turning := &turningStore{Store: memstore.New(), t: t}
		a := startApp(t, gin.New(), turning, ginasync.WithoutWorkers())
		id := jobIn(t, turning, "", store.InProgress)
		got := a.do(http.MethodDelete, "/jobs/"+id, nil)
		assert.Equal(t, http.StatusNoContent, got.StatusCode)
		assert.Equal(t, 2, turning.deletes, "it was not over the first time")
	})
}

// turningStore completes a job between a Delete that found it running and the Cancel.
type turningStore struct {
	store.Store
	t       *testing.T
	session store.Session
	deletes int
}

func (s *turningStore) Join(ctx context.Context, worker string, lease time.Duration) (store.Session, error) {
	var err error
	s.session, err = s.Store.Join(ctx, worker, lease)
	return s.session, err
}

func (s *turningStore) Delete(ctx context.Context, id string) error {
	s.deletes++
	return s.Store.Delete(ctx, id)
}

func (s *turningStore) Cancel(ctx context.Context, id string) (store.Job, error) {
	_, err := s.session.Settle(ctx, store.Ref{ID: id, Claim: 1}, store.Complete(store.Result{Response: store.Response{Status: 204}}))
	assert.NoError(s.t, err)
	return s.Store.Cancel(ctx, id)
}

// TestCancelVersusFinish is the third part of check 16 of the contract: whoever cancels
// or deletes a job at the moment it finishes, it ends in one terminal state, and
// everybody was told the truth.
func TestCancelVersusFinish(t *testing.T) {
	const rounds = 200
	s := memstore.New()
	one, other := startApp(t, gin.New(), s, ginasync.WithoutWorkers()), startApp(t, gin.New(), s, ginasync.WithoutWorkers())
	session, err := s.Join(t.Context(), "test", patience)
	require.NoError(t, err)
	for range rounds {
		stored, _, err := s.Create(t.Context(), store.NewJob{Route: "POST /x", Queue: "default", MaxAttempts: 1, Retention: patience})
		require.NoError(t, err)
		batch, err := session.Claim(t.Context(), []store.Want{{Queue: "default", Max: 1}})
		require.NoError(t, err)
		require.Len(t, batch.Claims, 1)

		var all sync.WaitGroup
		var settled store.State
		var canceled, deleted answer
		all.Go(func() {
			settled, err = session.Settle(t.Context(), batch.Claims[0].Ref, store.Complete(store.Result{Response: store.Response{Status: 204}}))
		})
		all.Go(func() { canceled = one.post("/jobs/"+stored.ID+"/cancel", "") })
		all.Go(func() { deleted = other.do(http.MethodDelete, "/jobs/"+stored.ID, nil) })
		all.Wait()
		checkRace(t, s, stored.ID, raceOutcome{settled, err, canceled.StatusCode, deleted.StatusCode})
	}
}

type raceOutcome struct {
	settled           store.State
	err               error
	canceled, deleted int
}

// checkRace holds what the three were told against what became of the job.
func checkRace(t *testing.T, s store.Store, id string, got raceOutcome) {
	t.Helper()
	require.NoError(t, got.err, "a job that is not over is not removed")
	require.Contains(t, []store.State{store.Completed, store.Canceled}, got.settled)
	if got.deleted == http.StatusNoContent {
		_, err := s.Get(t.Context(), id)
		require.ErrorIs(t, err, store.ErrNotFound)
		allowed := []int{http.StatusNotFound} // the cancel came after it
		if got.settled == store.Completed {
			allowed = append(allowed, http.StatusConflict)
		} else {
			allowed = append(allowed, http.StatusAccepted, http.StatusOK)
		}
		require.Contains(t, allowed, got.canceled, "%+v", got)
		return
	}
	require.Equal(t, http.StatusAccepted, got.deleted, "%+v", got)
	job, err := s.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, store.Canceled, got.settled, "who was told that it will stop is told the truth: %+v", got)
	require.Equal(t, store.Canceled, job.State)
	require.Contains(t, []int{http.StatusAccepted, http.StatusOK}, got.canceled, "%+v", got)
}
