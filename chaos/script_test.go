package chaos_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
