package memstore_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/asyncendpoints/gin-async/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memstore.New() })
}

func TestConformanceOfASmallStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store {
		return memstore.New(memstore.WithMaxFinished(100), memstore.WithMaxBytes(1<<20))
	})
}

func TestIDsThatBeginAlikeAreToldApart(t *testing.T) {
	s := memstore.New()
	created := create(t, s)
	alike := created.ID[:1+memstore.TagChars] + store.NewID('m')[1+memstore.TagChars:]
	require.NotEqual(t, created.ID, alike)
	_, err := s.Get(t.Context(), alike)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = s.Get(t.Context(), created.ID)
	assert.NoError(t, err)
}

func TestCursorOfAnotherStoreIsRefused(t *testing.T) {
	s, other := memstore.New(), memstore.New()
	for range 3 {
		create(t, s)
		create(t, other)
	}
	page, err := other.List(t.Context(), store.Query{Limit: 1})
	require.NoError(t, err)
	_, err = s.List(t.Context(), store.Query{Limit: 1, Cursor: page.Next})
	assert.ErrorIs(t, err, store.ErrBadCursor)
}

func TestListSearchesManyJobsForFew(t *testing.T) {
	s := memstore.New()
	wanted := []string{create(t, s).ID}
	for i := range 3000 { // more than are visited under one lock
		j := create(t, s, func(j *store.NewJob) { j.Route = "other" })
		if i%2 == 0 { // gaps in the ledger
			_, err := s.Cancel(t.Context(), j.ID)
			require.NoError(t, err)
			require.NoError(t, s.Delete(t.Context(), j.ID))
		}
	}
	wanted = append([]string{create(t, s).ID}, wanted...)
	page, err := s.List(t.Context(), store.Query{Limit: 1, States: []store.State{store.Queued}})
	require.NoError(t, err)
	require.Len(t, page.Jobs, 1)
	assert.Equal(t, wanted[0], page.Jobs[0].ID)

	all := 0
	for query := (store.Query{Limit: 200}); ; {
		page, err := s.List(t.Context(), query)
		require.NoError(t, err)
		all += len(page.Jobs)
		if query.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	assert.Equal(t, 1502, all)
}

func TestManyDueJobsAreQueuedOverSeveralClaims(t *testing.T) {
	s := memstore.New()
	session := join(t, s, time.Hour)
	const jobs = 3000
	for range jobs {
		create(t, s, func(j *store.NewJob) { j.Delay = 1 })
	}
	seen := map[string]bool{}
	first := claim(t, session, 1)
	assert.Zero(t, first.NextDue, "there are more")
	for batch := first; len(batch.Claims) > 0; batch = claim(t, session, 500) {
		for _, c := range batch.Claims {
			assert.False(t, seen[c.Job.ID])
			seen[c.Job.ID] = true
		}
	}
	assert.Len(t, seen, jobs)
}

func TestPayloadsOfABatchAreApart(t *testing.T) {
	s := memstore.New()
	session := join(t, s, time.Hour)
	for i := range 12 {
		create(t, s, func(j *store.NewJob) {
			j.Request = make([]byte, i%3*2000)
			j.Envelope = []byte{byte(i)}
		})
	}
	claims := claim(t, session, 12).Claims
	require.Len(t, claims, 12)
	for _, c := range claims {
		for _, part := range [][]byte{c.Request, c.Envelope} {
			part = append(part, 0xff)
			for i := range part {
				part[i] = 0xff
			}
		}
		c.Envelope = append(c.Envelope, 0xff)
	}
	require.NoError(t, session.Leave(t.Context()))
	for i, c := range claim(t, join(t, s, time.Hour), 12).Claims {
		assert.Equal(t, make([]byte, i%3*2000), c.Request)
		assert.Equal(t, []byte{byte(i)}, c.Envelope)
	}
}

func TestCancelledWaitingJobsLeaveNoWork(t *testing.T) {
	s := memstore.New(memstore.WithMaxFinished(10))
	session := join(t, s, time.Hour)
	for range 1000 {
		j := create(t, s, func(j *store.NewJob) { j.Request = make([]byte, 100) })
		_, err := s.Cancel(t.Context(), j.ID)
		require.NoError(t, err)
	}
	assert.Empty(t, claim(t, session, 1).Claims)
	assert.Equal(t, 10, s.Records())
	assert.Zero(t, s.Bytes())
}

func TestNoNumberOfAttemptsIsTooLarge(t *testing.T) {
	s := memstore.New()
	session := join(t, s, time.Minute)
	created := create(t, s)
	_, err := session.Settle(t.Context(), claim(t, session, 1).Claims[0].Ref, store.Fail(store.Problem{Type: "t"}, nil))
	require.NoError(t, err)
	again, err := s.Retry(t.Context(), created.ID, math.MaxInt)
	require.NoError(t, err)
	assert.Greater(t, again.MaxAttempts, again.Attempt)
}
