package memstore_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

// In these tests time is that of a bubble, so that each limit is met to the
// nanosecond.

func TestScheduledJobIsClaimedAtItsTimeAndNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		session := join(t, s, 24*time.Hour)
		created := create(t, s, func(j *store.NewJob) { j.Delay = time.Hour })
		assert.Equal(t, created.CreatedAt.Add(time.Hour), created.DueAt)

		time.Sleep(time.Hour - 1)
		batch := claim(t, session, 1)
		assert.Empty(t, batch.Claims)
		assert.Equal(t, time.Duration(1), batch.NextDue)
		time.Sleep(time.Nanosecond)
		batch = claim(t, session, 1)
		require.Len(t, batch.Claims, 1)
		assert.Equal(t, created.DueAt, batch.Claims[0].Job.StartedAt)
		assert.Negative(t, batch.NextDue)
	})
}

func TestDueJobsAreClaimedInTheOrderOfTheirTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		session := join(t, s, 24*time.Hour)
		late := create(t, s, func(j *store.NewJob) { j.Delay = 3 * time.Hour })
		early := create(t, s, func(j *store.NewJob) { j.Delay = time.Hour })
		gone := create(t, s, func(j *store.NewJob) { j.Delay = 2 * time.Hour })
		same := create(t, s, func(j *store.NewJob) { j.Delay = 3 * time.Hour })
		_, err := s.Cancel(t.Context(), gone.ID)
		require.NoError(t, err)
		time.Sleep(4 * time.Hour)
		batch := claim(t, session, 10)
		assert.Equal(t, []string{early.ID, late.ID, same.ID}, ids(batch.Claims))
	})
}

func TestLeaseEndsAtItsDeadlineAndCanBeTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		session := join(t, s, 10*time.Second)
		create(t, s)
		held := claim(t, session, 1).Claims[0]

		time.Sleep(10*time.Second - 1)
		require.NoError(t, session.Report(t.Context(), held.Ref, store.Progress{Percent: 1}))
		time.Sleep(time.Nanosecond)
		require.ErrorIs(t, session.Report(t.Context(), held.Ref, store.Progress{}), store.ErrLeaseLost)
		assert.Zero(t, stats(t, s).Sessions)

		renewal, err := session.Renew(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []store.Ref{held.Ref}, renewal.Held)
		time.Sleep(10*time.Second - 1)
		state, err := session.Settle(t.Context(), held.Ref, store.Complete(store.Result{}))
		require.NoError(t, err)
		assert.Equal(t, store.Completed, state)
	})
}

func TestLapsedSessionThatLeavesReleasesItsJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		session := join(t, s, time.Second)
		created := create(t, s)
		claim(t, session, 1)
		time.Sleep(time.Second)
		require.NoError(t, session.Leave(t.Context()))
		got := get(t, s, created.ID)
		assert.Equal(t, store.Queued, got.State)
		assert.Zero(t, got.Attempt)
	})
}

func TestReclaimEndsSessionsThatHoldNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		session := join(t, s, time.Second)
		time.Sleep(time.Second)
		taken, err := s.Reclaim(t.Context(), 0)
		require.NoError(t, err)
		assert.Zero(t, taken)
		_, err = session.Renew(t.Context())
		assert.ErrorIs(t, err, store.ErrLeaseLost)
	})
}

func TestReclaimWithoutALimitLeavesJobsToTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		session := join(t, s, time.Second)
		create(t, s)
		claim(t, session, 1)
		time.Sleep(time.Second)
		taken, err := s.Reclaim(t.Context(), 0)
		require.NoError(t, err)
		assert.Zero(t, taken)
		_, err = session.Renew(t.Context())
		assert.NoError(t, err, "nothing was taken, so the session may come back")
	})
}

func TestJobExpiresAtTheEndOfItsRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		created := create(t, s, func(j *store.NewJob) { j.Key, j.Retention = "k", time.Minute })
		canceled, err := s.Cancel(t.Context(), created.ID)
		require.NoError(t, err)
		assert.Equal(t, canceled.FinishedAt.Add(time.Minute), canceled.ExpiresAt)

		time.Sleep(time.Minute - 1)
		assert.Equal(t, canceled, get(t, s, created.ID))
		time.Sleep(time.Nanosecond)
		_, err = s.Get(t.Context(), created.ID)
		require.ErrorIs(t, err, store.ErrNotFound)
		_, isNew, err := s.Create(t.Context(), store.NewJob{Key: "k", Fingerprint: "other"})
		require.NoError(t, err)
		assert.True(t, isNew)
	})
}

// The expired holder of a key lies behind others that are removed first.
func TestKeyOfAnExpiredJobPassesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		keyed := func(j *store.NewJob) { j.Key, j.Retention = "k", time.Minute }
		for range 20 {
			j := create(t, s, func(j *store.NewJob) { j.Retention = time.Minute })
			_, err := s.Cancel(t.Context(), j.ID)
			require.NoError(t, err)
		}
		first := create(t, s, keyed)
		_, err := s.Cancel(t.Context(), first.ID)
		require.NoError(t, err)
		time.Sleep(time.Minute)

		second := create(t, s, keyed)
		assert.NotEqual(t, first.ID, second.ID)
		_, err = s.Reclaim(t.Context(), 1)
		require.NoError(t, err)
		assert.Equal(t, second.ID, create(t, s, keyed).ID, "the key is the second job's now")
	})
}

func TestExpiredJobsAreNeverShownAndSoonRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		for range 600 { // more than are removed under one lock
			created := create(t, s, func(j *store.NewJob) { j.Retention = time.Minute })
			_, err := s.Cancel(t.Context(), created.ID)
			require.NoError(t, err)
		}
		time.Sleep(time.Minute)
		page, err := s.List(t.Context(), store.Query{})
		require.NoError(t, err)
		assert.Empty(t, page.Jobs)
		assert.Empty(t, page.Next)

		create(t, s)
		assert.Equal(t, 596, s.Records()-1, "a create removes a few")
		_, err = s.Reclaim(t.Context(), 1)
		require.NoError(t, err)
		assert.Equal(t, 1, s.Records(), "a reclaim removes all")
	})
}

func TestShorterRetentionExpiresFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		var created []store.Job
		for _, retention := range []time.Duration{3 * time.Hour, time.Hour, 2 * time.Hour, time.Hour, 4 * time.Hour} {
			j := create(t, s, func(j *store.NewJob) { j.Retention = retention })
			_, err := s.Cancel(t.Context(), j.ID)
			require.NoError(t, err)
			created = append(created, j)
		}
		for _, left := range []int{3, 2, 1, 0} {
			time.Sleep(time.Hour)
			assert.Equal(t, left, stats(t, s).Finished)
		}
		_, err := s.Get(t.Context(), created[4].ID)
		assert.ErrorIs(t, err, store.ErrNotFound)
	})
}

func TestTimesFarAwayDoNotOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ever = time.Duration(1<<63 - 1)
		s := memstore.New()
		session := join(t, s, ever)
		delayed := create(t, s, func(j *store.NewJob) { j.Delay = ever })
		kept := create(t, s, func(j *store.NewJob) { j.Retention = ever })
		time.Sleep(time.Hour)
		batch := claim(t, session, 5)
		require.Equal(t, []string{kept.ID}, ids(batch.Claims))
		assert.Greater(t, batch.NextDue, 99*365*24*time.Hour)
		_, err := session.Settle(t.Context(), batch.Claims[0].Ref, store.Complete(store.Result{}))
		require.NoError(t, err)
		assert.True(t, get(t, s, kept.ID).ExpiresAt.After(time.Now()))
		assert.True(t, get(t, s, delayed.ID).DueAt.After(time.Now()))
		_, err = session.Renew(t.Context())
		assert.NoError(t, err)
	})
}

func TestEndedWatchLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		created := create(t, s)
		ctx, end := context.WithCancel(t.Context())
		changes, err := s.Watch(ctx, created.ID)
		require.NoError(t, err)
		_, err = s.Watch(ctx, store.NewID('m'))
		require.NoError(t, err)
		assert.Equal(t, 2, s.Watched())
		end()
		synctest.Wait()
		assert.Zero(t, s.Watched())
		_, err = s.Cancel(t.Context(), created.ID)
		require.NoError(t, err)
		assert.Empty(t, changes)
	})
}

func TestWatchIsToldWhenTheJobIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		created := create(t, s)
		_, err := s.Cancel(t.Context(), created.ID)
		require.NoError(t, err)
		changes, err := s.Watch(t.Context(), created.ID)
		require.NoError(t, err)
		require.NoError(t, s.Delete(t.Context(), created.ID))
		assert.Len(t, changes, 1)
	})
}
