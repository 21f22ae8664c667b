package redisstore_test

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

func split(t *testing.T, addr string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	return host, port
}

// bytesPerKeptJob is the bound: a request of 512 bytes and a result of 128.
const bytesPerKeptJob = 1100

func TestMemoryOfKeptJobs(t *testing.T) {
	const jobs = 5000
	client := redistest.Start(t).Client(t)
	s := redisstore.New(client)
	session := join(t, s, time.Minute)
	settleAll(t, s, session, 100, time.Hour) // what is there once, and scripts
	before := memory(t, client)
	settleAll(t, s, session, jobs, time.Hour)
	each := (memory(t, client) - before) / jobs
	t.Logf("%d bytes for each of %d kept jobs", each, jobs)
	assert.LessOrEqual(t, each, bytesPerKeptJob)
	assert.Greater(t, each, 128, "the result is kept")
}

// settleAll takes jobs through their lives.
func settleAll(t *testing.T, s *redisstore.Store, session store.Session, jobs int, retention time.Duration) {
	t.Helper()
	data := []byte(strings.Repeat("d", 128))
	outcome := store.Complete(store.Result{Data: data, Response: store.Response{Status: 200, ContentType: "application/json", Bytes: 64}})
	for range jobs {
		create(t, s, func(j *store.NewJob) {
			j.Retention = retention
			j.Request, j.Envelope = make([]byte, 480), make([]byte, 32)
		})
		for _, c := range claim(t, session, 1) {
			_, err := session.Settle(t.Context(), c.Ref, outcome)
			require.NoError(t, err)
		}
	}
}

func memory(t *testing.T, client *redis.Client) int {
	t.Helper()
	info, err := client.Info(t.Context(), "memory").Result()
	require.NoError(t, err)
	_, rest, _ := strings.Cut(info, "used_memory:")
	number, _, _ := strings.Cut(rest, "\r\n")
	n, err := strconv.Atoi(number)
	require.NoError(t, err)
	return n
}

func TestNoKeyIsLeftAfterRetention(t *testing.T) {
	client := redistest.Start(t).Client(t)
	s := redisstore.New(client, redisstore.WithPartitions(3))
	session := join(t, s, time.Minute)
	brief := func(j *store.NewJob) {
		j.Retention = 50 * time.Millisecond
		j.Owner, j.MaxWaitingOfOwner = "alice", 100
	}
	keyed := func(j *store.NewJob) { j.Key = "key " + strconv.Itoa(j.MaxAttempts) }
	problem := store.Problem{Type: "t", Title: "T", Status: 500}

	settleAll(t, s, session, 5, 50*time.Millisecond)
	_, err := s.Cancel(t.Context(), create(t, s, brief, keyed).ID)
	require.NoError(t, err)
	_, err = s.Cancel(t.Context(), create(t, s, brief, func(j *store.NewJob) { j.Delay = time.Hour }).ID)
	require.NoError(t, err)
	for range 3 { // failed, retried and failed again; canceled while running; released
		create(t, s, brief)
	}
	failed := claim(t, session, 1)[0]
	_, err = session.Settle(t.Context(), failed.Ref, store.Fail(problem, &store.Result{Data: []byte("why"), Response: store.Response{Status: 422}}))
	require.NoError(t, err)
	if _, err = s.Retry(t.Context(), failed.Ref.ID, 1); err != nil {
		require.ErrorIs(t, err, store.ErrNotFound, "the machine was slow")
	}
	for _, c := range claim(t, session, 10) {
		_, err = s.Cancel(t.Context(), c.Ref.ID)
		require.NoError(t, err)
		_, err := session.Settle(t.Context(), c.Ref, store.Cancel())
		require.NoError(t, err)
	}
	require.NotZero(t, client.DBSize(t.Context()).Val())
	require.NoError(t, session.Leave(t.Context()))
	var left []string
	assert.Eventually(t, func() bool {
		_, err := s.Reclaim(t.Context(), 10)
		require.NoError(t, err)
		left, err = client.Keys(t.Context(), "*").Result()
		require.NoError(t, err)
		left = slices.DeleteFunc(left, func(key string) bool {
			life := client.TTL(t.Context(), key).Val() // what lets a call be repeated goes by itself
			brief := strings.Contains(key, ":retried:") || strings.Contains(key, ":released:")
			return brief && life > 0 && life <= time.Minute
		})
		return len(left) == 0
	}, patience, 20*time.Millisecond)
	assert.Empty(t, left)
}

func TestWhatIsOverExpiresByItself(t *testing.T) {
	client := redistest.Start(t).Client(t)
	s := redisstore.New(client)
	session := join(t, s, time.Minute)
	settleAll(t, s, session, 1, time.Hour)
	create(t, s, func(j *store.NewJob) { j.Key = "key" })
	c := claim(t, session, 1)[0]
	_, err := session.Settle(t.Context(), c.Ref, store.Fail(store.Problem{Type: "t"}, nil))
	require.NoError(t, err)
	for _, pattern := range []string{"*:job:*", "*:outcome:*", "*:key:*", "*:lock:*"} {
		keys, err := client.Keys(t.Context(), pattern).Result()
		require.NoError(t, err)
		require.NotEmpty(t, keys, pattern)
		for _, key := range keys {
			assert.Positive(t, client.PTTL(t.Context(), key).Val(), key)
		}
	}
}

func TestALongLineOfCancelledJobsIsPassedOver(t *testing.T) {
	const waiting = 2500 // too many to search, and to pass over in one call
	client := redistest.Start(t).Client(t)
	s := redisstore.New(client)
	session := join(t, s, time.Minute)
	ids := make([]string, waiting)
	for i := range ids {
		ids[i] = create(t, s).ID
	}
	for _, id := range ids {
		_, err := s.Cancel(t.Context(), id)
		require.NoError(t, err)
	}
	last := create(t, s)
	var got []store.Claim
	for range 5 {
		batch, err := session.Claim(t.Context(), []store.Want{{Queue: "default", Max: 2}})
		require.NoError(t, err)
		if got = append(got, batch.Claims...); batch.NextDue != 0 {
			break
		}
	}
	require.Len(t, got, 1)
	assert.Equal(t, last.ID, got[0].Ref.ID)
	assert.Equal(t, store.InProgress, got[0].Job.State)
}

// Without evicting anything a full server refuses what takes more memory. The jobs that
// are there have to get on all the same.
func TestJobsGetOnWhenTheMemoryOfRedisIsFull(t *testing.T) {
	client := redistest.Start(t).Client(t)
	s := redisstore.New(client)
	session := join(t, s, time.Minute)
	for range 4 {
		create(t, s)
	}
	running := claim(t, session, 1)[0]
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())

	_, _, err := s.Create(t.Context(), store.NewJob{Route: "r", Queue: "default"})
	require.ErrorContains(t, err, "OOM")
	_, err = session.Renew(t.Context())
	require.NoError(t, err)
	require.NoError(t, session.Report(t.Context(), running.Ref, store.Progress{Percent: 1}))
	_, err = s.Cancel(t.Context(), running.Ref.ID)
	require.NoError(t, err)
	_, err = session.Settle(t.Context(), running.Ref, store.Cancel())
	require.NoError(t, err)
	require.NoError(t, s.Delete(t.Context(), running.Ref.ID))

	claims := claim(t, session, 2)
	require.Len(t, claims, 2)
	_, err = session.Settle(t.Context(), claims[0].Ref, store.Complete(store.Result{Data: []byte("done"), Response: store.Response{Status: 200}}))
	require.NoError(t, err)
	require.NoError(t, session.Release(t.Context(), claims[1].Ref, time.Hour))
	_, err = s.Cancel(t.Context(), claims[1].Ref.ID)
	require.NoError(t, err)
	require.Len(t, claim(t, session, 1), 1)
	require.NoError(t, session.Leave(t.Context()))
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, store.Stats{Queued: 1, Finished: 2}, stats)
}
