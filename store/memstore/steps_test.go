package memstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

const queueName = "default"

func create(t *testing.T, s *memstore.Store, changes ...func(*store.NewJob)) store.Job {
	t.Helper()
	job := store.NewJob{Queue: queueName, MaxAttempts: 3, Retention: time.Hour}
	for _, change := range changes {
		change(&job)
	}
	created, _, err := s.Create(t.Context(), job)
	require.NoError(t, err)
	return created
}

func join(t *testing.T, s *memstore.Store, lease time.Duration) store.Session {
	t.Helper()
	session, err := s.Join(t.Context(), "worker", lease)
	require.NoError(t, err)
	return session
}

func claim(t *testing.T, session store.Session, limit int) store.Batch {
	t.Helper()
	batch, err := session.Claim(t.Context(), []store.Want{{Queue: queueName, Max: limit}})
	require.NoError(t, err)
	return batch
}

// finish runs a new job to its end, with a result of that size.
func finish(t *testing.T, s *memstore.Store, session store.Session, size int, changes ...func(*store.NewJob)) store.Job {
	t.Helper()
	created := create(t, s, changes...)
	claims := claim(t, session, 1).Claims
	require.Equal(t, []string{created.ID}, ids(claims))
	_, err := session.Settle(t.Context(), claims[0].Ref, store.Complete(store.Result{Data: make([]byte, size)}))
	require.NoError(t, err)
	return created
}

func get(t *testing.T, s *memstore.Store, id string) store.Job {
	t.Helper()
	job, err := s.Get(t.Context(), id)
	require.NoError(t, err)
	return job
}

func stats(t *testing.T, s *memstore.Store) store.Stats {
	t.Helper()
	counted, err := s.Stats(t.Context())
	require.NoError(t, err)
	return counted
}

// exists tells which of the jobs are still there.
func exists(t *testing.T, s *memstore.Store, jobs []store.Job) []bool {
	t.Helper()
	there := make([]bool, len(jobs))
	for i, j := range jobs {
		_, err := s.Get(t.Context(), j.ID)
		there[i] = err == nil
	}
	return there
}

func ids(claims []store.Claim) []string {
	var named []string
	for _, c := range claims {
		named = append(named, c.Job.ID)
	}
	return named
}
