package redisstore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

func TestPartitions(t *testing.T) {
	client := connect(t, redistest.Shared(t))
	open := func(t *testing.T, n int, name string) *redisstore.Store {
		t.Helper()
		return redisstore.New(client, redisstore.WithPartitions(n), redisstore.WithPrefix(name))
	}
	for name, test := range map[string]func(t *testing.T, s *redisstore.Store, prefix string){
		"jobs are spread evenly, and all are claimed": func(t *testing.T, s *redisstore.Store, _ string) {
			letters := map[byte]int{}
			for range 30 {
				letters[create(t, s).ID[0]]++
			}
			assert.Equal(t, map[byte]int{'a': 10, 'b': 10, 'c': 10}, letters)
			session := join(t, s, time.Minute)
			assert.Len(t, claim(t, session, 25), 25)
			assert.Len(t, claim(t, session, 25), 5)
			renewal, err := session.Renew(t.Context())
			require.NoError(t, err)
			assert.Len(t, renewal.Held, 30)
		},
		"a job that comes to any of them wakes a session": func(t *testing.T, s *redisstore.Store, _ string) {
			session := join(t, s, time.Minute)
			for range 6 {
				assert.Empty(t, claim(t, session, 1))
				drop(session.Arrived())
				created := create(t, s)
				receive(t, session.Arrived(), "a job came")
				claims := claim(t, session, 1)
				require.Len(t, claims, 1)
				assert.Equal(t, created.ID, claims[0].Ref.ID)
			}
		},
		"a list merges them, newest first, page by page": func(t *testing.T, s *redisstore.Store, _ string) {
			var want []string
			for range 20 {
				want = append([]string{create(t, s).ID}, want...)
			}
			var got []string
			for query, more := (store.Query{Owner: "alice", Limit: 3}), true; more; {
				page, err := s.List(t.Context(), query)
				require.NoError(t, err)
				for _, job := range page.Jobs {
					got = append(got, job.ID)
				}
				query.Cursor, more = page.Next, page.Next != ""
			}
			assert.Equal(t, want, got)
		},
		"an idempotency key finds its job wherever it is": func(t *testing.T, s *redisstore.Store, prefix string) {
			other := open(t, 3, prefix)
			letters := map[byte]bool{}
			for i := range 20 {
				keyed := func(j *store.NewJob) { j.Key = fmt.Sprint("key ", i) }
				first := create(t, s, keyed)
				letters[first.ID[0]] = true
				assert.Equal(t, first.ID, create(t, other, keyed).ID)
			}
			assert.Len(t, letters, 3)
		},
		"the bound on waiting jobs is divided, and no partition is left out": func(t *testing.T, s *redisstore.Store, _ string) {
			bounded := store.NewJob{Route: "r", Queue: "default", MaxAttempts: 1, Retention: time.Hour, MaxWaiting: 9}
			n := 0
			for ; ; n++ {
				if _, _, err := s.Create(t.Context(), bounded); err != nil {
					require.ErrorIs(t, err, store.ErrFull)
					break
				}
			}
			assert.Equal(t, 9, n)
		},
		"the bound on an owner's waiting jobs is divided too": func(t *testing.T, s *redisstore.Store, _ string) {
			bounded := store.NewJob{Route: "r", Queue: "default", Owner: "alice", MaxAttempts: 1, Retention: time.Hour, MaxWaitingOfOwner: 9}
			n := 0
			for ; n < 20; n++ {
				if _, _, err := s.Create(t.Context(), bounded); err != nil {
					require.ErrorIs(t, err, store.ErrOwnerFull)
					break
				}
			}
			assert.Equal(t, 9, n)
			bounded.Owner = "bob"
			_, _, err := s.Create(t.Context(), bounded)
			require.NoError(t, err)
		},
		"counts are of all of them": func(t *testing.T, s *redisstore.Store, _ string) {
			for range 4 {
				create(t, s)
			}
			claim(t, join(t, s, time.Minute), 1)
			stats, err := s.Stats(t.Context())
			require.NoError(t, err)
			assert.Equal(t, store.Stats{Queued: 3, InProgress: 1, Sessions: 1}, stats)
		},
		"recovery takes from all of them, up to its limit": func(t *testing.T, s *redisstore.Store, _ string) {
			for range 6 {
				create(t, s)
			}
			session := join(t, s, 300*time.Millisecond)
			require.Len(t, claim(t, session, 6), 6)
			eventually(t, "the lease has run out", func() bool {
				_, err := session.Claim(t.Context(), nil)
				return errors.Is(err, store.ErrLeaseLost)
			})
			for _, want := range []int{4, 2, 0} {
				taken, err := s.Reclaim(t.Context(), 4)
				require.NoError(t, err)
				assert.Equal(t, want, taken)
			}
		},
		"a process with fewer of them serves the others too": func(t *testing.T, s *redisstore.Store, prefix string) {
			for range 6 {
				create(t, s)
			}
			fewer := open(t, 1, prefix)
			assert.Len(t, claim(t, join(t, fewer, time.Minute), 10), 6)
			stats, err := fewer.Stats(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 6, stats.InProgress)
			assert.Equal(t, byte('a'), create(t, fewer).ID[0], "new jobs go to its own")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prefix := prefix(t)
			test(t, open(t, 3, prefix), prefix)
		})
	}
}
