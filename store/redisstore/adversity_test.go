package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
	"github.com/asyncendpoints/gin-async/store/storetest"
)

// user returns a client of a user with those rights.
func user(t *testing.T, server *redistest.Server, rights ...string) *redis.Client {
	t.Helper()
	rule := []any{"ACL", "SETUSER", "app", "reset", "on", ">secret"}
	for _, right := range rights {
		rule = append(rule, right)
	}
	require.NoError(t, server.Client(t).Do(t.Context(), rule...).Err())
	client := redis.NewClient(&redis.Options{
		Addr: server.Addr(), Username: "app", Password: "secret", Protocol: 2, ContextTimeoutEnabled: true, PoolSize: 50,
	})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return client
}

func TestConformanceWithFewRightsAndTheOldProtocol(t *testing.T) {
	client := user(t, redistest.Start(t), "~test:*", "&test:*", "+@all", "-@dangerous", "-@admin")
	storetest.Run(t, func(t *testing.T) store.Store {
		return redisstore.New(client, redisstore.WithPrefix(prefix(t)))
	})
}

func TestWithoutTheRightToSendMessagesJobsGetOn(t *testing.T) {
	server := redistest.Start(t)
	s := redisstore.New(user(t, server, "~ginasync:*", "resetchannels", "+@all"))
	session := join(t, redisstore.New(server.Client(t)), time.Minute)
	for range 3 {
		create(t, s)
	}
	canceled, err := s.Cancel(t.Context(), create(t, s).ID)
	require.NoError(t, err)
	assert.Equal(t, store.Canceled, canceled.State)
	claims := claim(t, session, 5)
	require.Len(t, claims, 3)
	_, err = s.Cancel(t.Context(), claims[0].Ref.ID)
	require.NoError(t, err)
	renewal, err := session.Renew(t.Context())
	require.NoError(t, err)
	assert.Len(t, renewal.Stop, 1)
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, store.Stats{InProgress: 3, Finished: 1, Sessions: 1}, stats)
}

// An eviction policy, or a hand, may remove what belongs to a job.
func TestJobsThatWereRemovedByOtherHandsHinderNoOthers(t *testing.T) {
	client := redistest.Start(t).Client(t)
	s := redisstore.New(client)
	session := join(t, s, time.Minute)
	remove := func(id string) {
		t.Helper()
		keys, err := client.Keys(t.Context(), "*:job:"+id).Result()
		require.NoError(t, err)
		require.Len(t, keys, 1)
		require.NoError(t, client.Del(t.Context(), keys...).Err())
	}
	soon := func(j *store.NewJob) { j.Delay = time.Millisecond }
	remove(create(t, s, soon).ID)
	remove(create(t, s).ID)
	want := []string{create(t, s).ID, create(t, s, soon).ID, create(t, s, soon).ID}
	<-time.After(5 * time.Millisecond)
	claims := claim(t, session, 10)
	var got []string
	for _, c := range claims {
		got = append(got, c.Ref.ID)
	}
	assert.ElementsMatch(t, want, got)

	remove(claims[0].Ref.ID)
	require.NoError(t, session.Release(t.Context(), claims[0].Ref, 0))
	remove(claims[1].Ref.ID)
	require.NoError(t, session.Leave(t.Context()))
	again := claim(t, join(t, s, time.Minute), 10)
	require.Len(t, again, 1)
	assert.Equal(t, claims[2].Ref.ID, again[0].Ref.ID)
	keys, err := client.Keys(t.Context(), "*:job:*").Result()
	require.NoError(t, err)
	assert.Len(t, keys, 1, "no remains of the others")
}

func TestAClaimTakesNoMoreThanAnAnswerCanCarry(t *testing.T) {
	s := redisstore.New(redistest.Start(t).Client(t))
	session := join(t, s, time.Minute)
	for range 6 {
		create(t, s, func(j *store.NewJob) { j.Request = []byte(strings.Repeat("x", 3<<20)) })
	}
	for range 3 {
		batch, err := session.Claim(t.Context(), []store.Want{{Queue: "default", Max: 10}})
		require.NoError(t, err)
		assert.Len(t, batch.Claims, 2, "4 MiB are reached with the second")
		if stats, err := s.Stats(t.Context()); assert.NoError(t, err) && stats.Queued > 0 {
			assert.Zero(t, batch.NextDue, "there is more")
		}
	}
}

func TestRecoveryOfVeryManyJobsInOneCall(t *testing.T) {
	const jobs = 4200 // more than Lua passes to one command
	s := redisstore.New(redistest.Start(t).Client(t))
	session := join(t, s, 2*time.Second)
	var producers sync.WaitGroup
	for range 60 {
		producers.Go(func() {
			for range jobs / 60 {
				create(t, s, func(j *store.NewJob) { j.MaxAttempts = 1 })
			}
		})
	}
	producers.Wait()
	_, err := session.Renew(t.Context())
	require.NoError(t, err)
	require.Len(t, claim(t, session, jobs), jobs)
	eventually(t, "the lease has run out", func() bool {
		_, err := session.Claim(t.Context(), nil)
		return errors.Is(err, store.ErrLeaseLost)
	})
	taken, err := s.Reclaim(t.Context(), 2*jobs)
	require.NoError(t, err)
	assert.Equal(t, jobs, taken)
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, store.Stats{Finished: jobs}, stats)
}

func TestReplicasThatCannotBeAskedAreNone(t *testing.T) {
	server := redistest.Start(t)
	client := user(t, server, "~ginasync:*", "&*", "+@all", "-wait")
	s := redisstore.New(client, redisstore.WithReplicas(1, 100*time.Millisecond))
	_, _, err := s.Create(t.Context(), store.NewJob{Route: "r", Queue: "default"})
	require.ErrorIs(t, err, redisstore.ErrNotReplicated)
	assert.ErrorContains(t, err, "was taken back")
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Zero(t, stats)
}

func TestWithoutReplicasNobodyIsToldOfAJobThatIsTakenBack(t *testing.T) {
	server := redistest.Start(t)
	keyed := store.NewJob{Route: "r", Queue: "default", Key: "key", Fingerprint: "f", MaxAttempts: 1, Retention: time.Hour}
	one := redisstore.New(server.Client(t), redisstore.WithReplicas(1, time.Second))
	other := redisstore.New(server.Client(t)) // has not been told to wait

	var first error
	var callers sync.WaitGroup
	callers.Go(func() { _, _, first = one.Create(t.Context(), keyed) })
	eventually(t, "the first job is there", func() bool {
		stats, err := other.Stats(t.Context())
		return err == nil && stats.Queued == 1
	})
	found, created, err := other.Create(t.Context(), keyed)
	require.NoError(t, err)
	assert.False(t, created)
	callers.Wait()
	require.ErrorIs(t, first, redisstore.ErrNotReplicated)
	assert.ErrorContains(t, first, "is in use already and stays")
	_, err = other.Get(t.Context(), found.ID)
	require.NoError(t, err)

	_, _, err = one.Create(t.Context(), keyed)
	require.ErrorIs(t, err, redisstore.ErrNotReplicated)
	assert.ErrorContains(t, err, "was stored before and stays")
}

func TestClientsThatWouldBreakPromisesAreRefused(t *testing.T) {
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}})
	replicas := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}, ReadOnly: true})
	impatient := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ReadTimeout: time.Second})
	t.Cleanup(func() { assert.NoError(t, errors.Join(ring.Close(), replicas.Close(), impatient.Close())) })
	for part, s := range map[string]*redisstore.Store{
		"a Ring does not say":                  redisstore.New(ring),
		"leave out ReadOnly":                   redisstore.New(replicas),
		"below the client's ReadTimeout of 1s": redisstore.New(impatient, redisstore.WithReplicas(1, time.Second)),
		"make one with redis.NewClient":        redisstore.New((*redis.Client)(nil)),
		"make one with redis.NewClusterClient": redisstore.New((*redis.ClusterClient)(nil)),
	} {
		assert.ErrorContains(t, s.Err(), part)
		_, err := s.Watch(context.WithoutCancel(t.Context()), store.NewID('a'))
		assert.Equal(t, s.Err(), err)
	}
}
