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

// shortLease is one that soon runs out.
const shortLease = 30 * time.Millisecond

// script is a process that makes all calls of a store, one after the other.
type script struct {
	t       *testing.T
	store   *redisstore.Store
	session store.Session
	// told is what the calls returned, and what became of each job.
	told []string
	jobs map[string]string // ids by name
}

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

func (s *script) act() {
	s.session = s.join(time.Minute)
	s.create("plain", "")
	s.create("keyed", "key")
	s.create("keyed again", "key")
	s.finish("plain", store.Complete(answerOf("plain")))
	s.try("delete", store.ErrNotFound, func() error { return s.store.Delete(s.t.Context(), s.jobs["plain"]) })

	s.finish("keyed", store.RetryAfter(0, badLuck))
	s.finish("keyed", store.Complete(answerOf("keyed")))
	s.create("keyed once more", "key")

	s.create("failing", "")
	s.finish("failing", store.Fail(badLuck, nil))
	s.try("retry", store.ErrNotFailed, func() error {
		_, err := s.store.Retry(s.t.Context(), s.jobs["failing"], 1)
		return err
	})
	s.finish("failing", store.Complete(answerOf("failing")))
	s.cancel()
	s.giveBack()
	s.dieHolding()
	s.leaveHolding()
	s.drain()
}

func (s *script) cancel() {
	cancel := func(name string) {
		s.try("cancel "+name, nil, func() error {
			_, err := s.store.Cancel(s.t.Context(), s.jobs[name])
			return err
		})
	}
	s.create("waiting", "")
	cancel("waiting")
	s.create("running", "")
	ref := s.take("running").Ref
	cancel("running")
	s.try("renew", nil, func() error {
		renewal, err := s.session.Renew(s.t.Context())
		if err == nil {
			require.Equal(s.t, []store.Ref{ref}, renewal.Stop)
		}
		return err
	})
	s.settle(ref, store.Complete(answerOf("running")))
}

func (s *script) giveBack() {
	s.create("released", "")
	ref := s.take("released").Ref
	s.try("release", store.ErrLeaseLost, func() error { return s.session.Release(s.t.Context(), ref, 0) })
	s.finish("released", store.Complete(answerOf("released")))
}

// dieHolding lets a session end without a word.
func (s *script) dieHolding() {
	s.create("orphan", "")
	alive, told := s.session, s.told
	for s.claimAndDie() {
		_ = insist(s.t, func() error {
			_, err := s.store.Reclaim(s.t.Context(), 10)
			return err
		})
	}
	s.session, s.told = alive, told
	waitFor(s.t, func() error {
		if _, err := s.store.Reclaim(s.t.Context(), 10); err != nil {
			return err
		}
		job, err := s.store.Get(s.t.Context(), s.jobs["orphan"])
		if err == nil && job.State != store.Queued {
			err = fmt.Errorf("not recovered: %+v", job)
		}
		return err
	})
	s.finish("orphan", store.Complete(answerOf("orphan")))
}

// claimAndDie reports whether the lease ran out before there was a claim, as it may on a
// busy machine.
func (s *script) claimAndDie() (tooEarly bool) {
	if s.session = s.join(shortLease); s.session == nil {
		return true
	}
	for {
		batch, err := s.session.Claim(s.t.Context(), []store.Want{{Queue: "orphan", Max: 1}})
		var renewal store.Renewal
		if err != nil && !meansSomething(err) {
			renewal, err = s.session.Renew(s.t.Context())
		}
		switch {
		case errors.Is(err, store.ErrLeaseLost):
			return true
		case len(renewal.Held) > 0 || len(batch.Claims) > 0 && batch.Claims[0].Ref.ID == s.jobs["orphan"]:
			return false
		case len(batch.Claims) > 0: // of a Create that was repeated
			_, _ = s.session.Settle(s.t.Context(), batch.Claims[0].Ref, store.Cancel())
		}
	}
}

func (s *script) leaveHolding() {
	s.create("left", "")
	s.take("left")
	s.try("leave", nil, func() error { return s.session.Leave(s.t.Context()) })
	s.session = s.join(time.Minute)
	s.finish("left", store.Complete(answerOf("left")))
	s.try("leave", nil, func() error { return s.session.Leave(s.t.Context()) })
}

// drain cancels the jobs that nobody asked for and nobody came across.
func (s *script) drain() {
	session := s.join(time.Minute)
	var want []store.Want
	for queue := range s.jobs {
		want = append(want, store.Want{Queue: queue, Max: 9})
	}
	waitFor(s.t, func() error {
		batch, err := session.Claim(s.t.Context(), want)
		for _, claim := range batch.Claims {
			_, _ = session.Settle(s.t.Context(), claim.Ref, store.Cancel())
		}
		return err
	})
	s.try("leave", nil, func() error { return session.Leave(s.t.Context()) })
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
