package chaos_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// Each step of a whole life of jobs is lost once, and all goes as if none had been. Jobs
// that are not asked for come of a Create that is repeated without a key; nothing else
// may differ.
func TestEachStepIsLostOnce(t *testing.T) {
	server := redistest.Start(t)
	loss{}.play(t, server) // now the server has the scripts
	whole, n := loss{}.play(t, server)
	t.Logf("%d steps", n)
	for name, l := range losses() {
		t.Run(name, func(t *testing.T) {
			// The short form tries every second step.
			stride := either(2, 1)
			first := 1 + rand.IntN(stride)
			t.Logf("from step %d on", first)
			for k := first; k <= n; k += stride {
				l := loss{l.verdict, l.retries, k}
				t.Run(l.String(), func(t *testing.T) {
					t.Parallel()
					told, _ := l.play(t, server)
					require.Equal(t, whole, told)
				})
			}
		})
	}
}

// play plays the script under a loss and returns what it was told and how many steps it
// took.
func (l loss) play(t *testing.T, server *redistest.Server) (told []string, steps int) {
	t.Helper()
	client, count := l.connect(t, server)
	prefix := redisstore.WithPrefix("replies:" + store.NewID('a'))
	s := &script{t: t, store: redisstore.New(client, prefix), jobs: make(map[string]string)}
	s.act()
	s.look(redisstore.New(server.Client(t), prefix))
	return s.told, int(count.Load())
}

// try makes a call until its outcome is known. One that is repeated may be told that
// there is nothing left to do.
func (s *script) try(name string, done error, call func() error) {
	s.t.Helper()
	calls := 0
	err := insist(s.t, func() error {
		calls++
		return call()
	})
	if calls > 1 && done != nil && errors.Is(err, done) {
		err = nil
	}
	s.told = append(s.told, fmt.Sprintf("%s: %v", name, err))
}

func (s *script) join(lease time.Duration) store.Session {
	var session store.Session
	s.try("join", nil, func() (err error) {
		session, err = s.store.Join(s.t.Context(), "w", lease)
		return err
	})
	return session
}

// create stores a job in a queue that is named like it.
func (s *script) create(name, key string) {
	queue, _, _ := strings.Cut(name, " ")
	job := store.NewJob{
		Route: "r", Queue: queue, MaxAttempts: 9, Retention: time.Hour,
		Request: []byte("request of " + queue), Key: key, Fingerprint: "f",
	}
	s.try("create "+name, nil, func() error {
		stored, _, err := s.store.Create(s.t.Context(), job)
		if err == nil {
			if first, seen := s.jobs[queue]; seen {
				require.Equal(s.t, first, stored.ID, "the key holds one job")
			}
			s.jobs[queue] = stored.ID
		}
		return err
	})
}

// take claims a job. It gives back what the store thinks the session holds and what
// never came, as a worker does. Jobs that are not asked for are canceled.
func (s *script) take(name string) store.Claim {
	s.t.Helper()
	for range 20 {
		batch, err := s.session.Claim(s.t.Context(), []store.Want{{Queue: name, Max: 1}})
		require.False(s.t, err != nil && meansSomething(err), "%v", err)
		for _, claim := range batch.Claims {
			if claim.Ref.ID == s.jobs[name] {
				require.Equal(s.t, "request of "+name, string(claim.Request))
				return claim
			}
			_, err := s.session.Settle(s.t.Context(), claim.Ref, store.Cancel())
			require.NoError(s.t, err, "a loss comes once")
		}
		if err != nil {
			s.giveBackHeld()
		}
	}
	require.Fail(s.t, "never claimed: "+name)
	return store.Claim{}
}

func (s *script) giveBackHeld() {
	renewal, err := s.session.Renew(s.t.Context())
	require.NoError(s.t, err, "a loss comes once")
	for _, ref := range renewal.Held {
		require.NoError(s.t, s.session.Release(s.t.Context(), ref, 0))
	}
}

// finish claims a job and settles it.
func (s *script) finish(name string, outcome store.Outcome) {
	s.t.Helper()
	s.settle(s.take(name).Ref, outcome)
}

func (s *script) settle(ref store.Ref, outcome store.Outcome) {
	s.t.Helper()
	var became store.State
	s.try("report", nil, func() error { return s.session.Report(s.t.Context(), ref, store.Progress{Percent: 50}) })
	s.try("settle", nil, func() (err error) {
		became, err = s.session.Settle(s.t.Context(), ref, outcome)
		return err
	})
	s.told = append(s.told, string(became))
}

// look notes what became of each job and asserts that nothing is left.
func (s *script) look(observer *redisstore.Store) {
	for _, name := range []string{"plain", "keyed", "failing", "waiting", "running", "released", "orphan", "left"} {
		job, data, err := observer.Result(s.t.Context(), s.jobs[name])
		if name == "orphan" {
			job.Attempt = 0 // on a busy machine more than one session dies with it
		}
		s.told = append(s.told, fmt.Sprintf("%s: %s after %d of %d attempts, %q, %v",
			name, job.State, job.Attempt, job.MaxAttempts, data, err))
	}
	left, err := observer.Stats(s.t.Context())
	require.NoError(s.t, err)
	// A session that joined and does not know lasts as long as its lease.
	require.Equal(s.t, store.Stats{Finished: left.Finished, Sessions: left.Sessions}, left)
}

var badLuck = store.Problem{Type: "bad-luck", Title: "bad luck", Status: 500}

func answerOf(name string) store.Result {
	return store.Result{Response: store.Response{Status: 200}, Data: []byte("answer of " + name)}
}
