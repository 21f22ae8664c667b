package memstore_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

func kept(retention time.Duration) func(*store.NewJob) {
	return func(j *store.NewJob) { j.Retention = retention }
}

func sized(n int) func(*store.NewJob) {
	return func(j *store.NewJob) { j.Request = make([]byte, n) }
}

func TestMaxFinishedDropsTheJobThatExpiresFirst(t *testing.T) {
	s := memstore.New(memstore.WithMaxFinished(3))
	session := join(t, s, time.Hour)
	jobs := []store.Job{
		finish(t, s, session, 1, kept(3*time.Hour)),
		finish(t, s, session, 1, kept(time.Hour)),
		finish(t, s, session, 1, kept(2*time.Hour)),
	}
	assert.Equal(t, []bool{true, true, true}, exists(t, s, jobs))
	jobs = append(jobs, finish(t, s, session, 1, kept(3*time.Hour)))
	assert.Equal(t, []bool{true, false, true, true}, exists(t, s, jobs))
	jobs = append(jobs, finish(t, s, session, 1, kept(3*time.Hour)))
	assert.Equal(t, []bool{true, false, false, true, true}, exists(t, s, jobs))
	jobs = append(jobs, finish(t, s, session, 1, kept(3*time.Hour)))
	assert.Equal(t, []bool{false, false, false, true, true, true}, exists(t, s, jobs))
	assert.Equal(t, 3, stats(t, s).Finished)
}

// Two retentions cross: the second job of the shorter one expires after the first
// of the longer one.
func TestMaxFinishedFollowsExpiryAcrossRetentions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(memstore.WithMaxFinished(3))
		session := join(t, s, 24*time.Hour)
		jobs := []store.Job{
			finish(t, s, session, 1, kept(60*time.Minute)),
			finish(t, s, session, 1, kept(90*time.Minute)),
		}
		time.Sleep(50 * time.Minute)
		jobs = append(jobs, finish(t, s, session, 1, kept(60*time.Minute)))
		require.NoError(t, s.Delete(t.Context(), jobs[0].ID))
		for range 2 {
			jobs = append(jobs, finish(t, s, session, 1, kept(3*time.Hour)))
		}
		assert.Equal(t, []bool{false, false, true, true, true}, exists(t, s, jobs))
	})
}

func TestDroppedJobsFreeTheirKeys(t *testing.T) {
	s := memstore.New(memstore.WithMaxFinished(1))
	session := join(t, s, time.Hour)
	keyed := func(j *store.NewJob) { j.Key = "k" }
	first := finish(t, s, session, 1, keyed)
	finish(t, s, session, 1)
	assert.NotEqual(t, first.ID, create(t, s, keyed).ID)
}

func TestJobThatIsDroppedAsItEndsIsStillReturned(t *testing.T) {
	s := memstore.New(memstore.WithMaxFinished(1))
	session := join(t, s, time.Hour)
	finish(t, s, session, 1, kept(2*time.Hour))
	short := create(t, s, kept(time.Hour))
	canceled, err := s.Cancel(t.Context(), short.ID)
	require.NoError(t, err)
	assert.Equal(t, store.Canceled, canceled.State)
	assert.Equal(t, short.ID, canceled.ID)
	assert.False(t, canceled.FinishedAt.IsZero())
	_, err = s.Get(t.Context(), short.ID)
	assert.ErrorIs(t, err, store.ErrNotFound)
}

func TestMaxBytesDropsFinishedJobsForANewOne(t *testing.T) {
	s := memstore.New(memstore.WithMaxBytes(100))
	session := join(t, s, time.Hour)
	jobs := []store.Job{finish(t, s, session, 30), finish(t, s, session, 30), finish(t, s, session, 30)}
	jobs = append(jobs, create(t, s, sized(10)))
	assert.Equal(t, []bool{true, true, true, true}, exists(t, s, jobs), "exactly full")
	jobs = append(jobs, create(t, s, sized(35)))
	assert.Equal(t, []bool{false, false, true, true, true}, exists(t, s, jobs))
	assert.Equal(t, int64(75), s.Bytes())
}

func TestMaxBytesRefusesAJobThatCannotFit(t *testing.T) {
	s := memstore.New(memstore.WithMaxBytes(100))
	session := join(t, s, time.Hour)
	done := finish(t, s, session, 30)
	create(t, s, sized(60))
	for _, size := range []int{41, 101} {
		_, isNew, err := s.Create(t.Context(), store.NewJob{Request: make([]byte, size-1), Envelope: []byte("e")})
		require.ErrorIs(t, err, store.ErrFull)
		assert.False(t, isNew)
	}
	assert.Equal(t, []bool{true}, exists(t, s, []store.Job{done}), "nothing was dropped in vain")
	create(t, s, sized(40))
	assert.Equal(t, []bool{false}, exists(t, s, []store.Job{done}))
	assert.Equal(t, int64(100), s.Bytes())
}

func TestMaxBytesDropsFinishedJobsForAResult(t *testing.T) {
	s := memstore.New(memstore.WithMaxBytes(100))
	session := join(t, s, time.Hour)
	jobs := []store.Job{finish(t, s, session, 60), finish(t, s, session, 30)}
	jobs = append(jobs, finish(t, s, session, 50))
	assert.Equal(t, []bool{false, true, true}, exists(t, s, jobs))
}

func TestRequestsOfJobsThatCannotRunAgainAreLetGo(t *testing.T) {
	s := memstore.New()
	session := join(t, s, time.Hour)
	finish(t, s, session, 10, sized(1000))
	assert.Equal(t, int64(10), s.Bytes(), "completed")

	canceled := create(t, s, sized(1000))
	_, err := s.Cancel(t.Context(), canceled.ID)
	require.NoError(t, err)
	assert.Equal(t, int64(10), s.Bytes(), "canceled")

	create(t, s, sized(1000))
	ref := claim(t, session, 1).Claims[0].Ref
	_, err = session.Settle(t.Context(), ref, store.Fail(store.Problem{Type: "x"}, &store.Result{Data: make([]byte, 7)}))
	require.NoError(t, err)
	assert.Equal(t, int64(1017), s.Bytes(), "a failed job keeps its request")
	_, err = s.Retry(t.Context(), ref.ID, 1)
	require.NoError(t, err)
	assert.Equal(t, int64(1010), s.Bytes(), "a retried job has no result")
}

func TestOptionsBelowOneMeanTheDefault(t *testing.T) {
	s := memstore.New(memstore.WithMaxFinished(0), memstore.WithMaxBytes(math.MinInt64))
	session := join(t, s, time.Hour)
	jobs := []store.Job{finish(t, s, session, 1000), finish(t, s, session, 1000)}
	assert.Equal(t, []bool{true, true}, exists(t, s, jobs))
}

func TestNothingIsLeftOfJobsThatAreGone(t *testing.T) {
	s := memstore.New()
	var jobs []store.Job
	for i := range 200 {
		jobs = append(jobs, create(t, s, sized(i), func(j *store.NewJob) {
			j.Owner, j.Queue, j.Key = string(rune('a'+i%7)), string(rune('a'+i%3)), string(rune('A'+i))
			j.Retention = time.Duration(i%5+1) * time.Hour
			j.Delay = time.Duration(i%2) * time.Hour
		}))
	}
	for _, j := range jobs {
		_, err := s.Cancel(t.Context(), j.ID)
		require.NoError(t, err)
	}
	for i := range jobs {
		require.NoError(t, s.Delete(t.Context(), jobs[i*77%len(jobs)].ID), "in an order of its own")
	}
	assert.Zero(t, s.Records())
	assert.Zero(t, s.Leftovers())
}
