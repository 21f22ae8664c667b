package storetest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/asyncendpoints/gin-async/store/storetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// candidate names the store that TestCandidate gives to the suite.
const candidate = "STORETEST_CANDIDATE"

// candidates are stores made for the suite: an intact one, and others with one
// fault each and the sentences of the contract that the fault breaks.
var candidates = []struct {
	name   string
	wrap   func(store.Store) store.Store
	breaks []string
}{
	{"intact", func(s store.Store) store.Store { return wrapped{s, nil} }, nil},
	{"unfenced", unfenced, []string{
		"fence/another session cannot write to the job",
		"fence/a session that lost its job cannot write over the next holder",
	}},
	{"aliasing", aliasing, []string{
		"memory/the caller of Create may reuse its slices",
		"memory/the caller of Settle may reuse its slice",
	}},
	{"sleepy", sleepy, []string{
		"wake-up/a job that comes to an empty queue wakes an idle session, every time",
		"wake-up/no wake-up is lost between a producer and consumers that sleep",
	}},
	{"forgetful of cancels", forgetful, []string{
		"cancel/a marked job ends canceled however its attempt ends",
		"concurrent/cancel and settle leave one terminal state, and it is final",
	}},
	{"generous", generous, []string{"claim/a claim takes no more than wanted of each queue"}},
	{"unbounded", unbounded, []string{
		"create/the bound on waiting jobs counts queued and scheduled ones",
		"concurrent/concurrent creates fill the bound exactly",
	}},
}

// TestCandidate is run by TestTheSuiteRejectsBrokenStores in a process of its own.
func TestCandidate(t *testing.T) {
	name := os.Getenv(candidate)
	for _, c := range candidates {
		if c.name == name {
			storetest.Run(t, func(*testing.T) store.Store { return c.wrap(memstore.New()) })
		}
	}
}

func TestTheSuiteRejectsBrokenStores(t *testing.T) {
	for _, c := range candidates {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.breaks == nil {
				out, err := suite(t, c.name, "TestCandidate")
				require.NoError(t, err, out)
				assert.Contains(t, out, "--- PASS: TestCandidate/settle/a_completed_job_has_its_result")
				return
			}
			for _, sentence := range c.breaks {
				sentence = strings.ReplaceAll(sentence, " ", "_")
				out, err := suite(t, c.name, testPattern(sentence))
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit, "the suite must reject it: %s", out)
				assert.Contains(t, out, "--- FAIL: TestCandidate/"+sentence)
			}
		})
	}
}

// suite runs the suite, or the subtest of it that pattern names.
func suite(t *testing.T, name, pattern string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", pattern, "-test.v") //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), candidate+"="+name)
	out, err := cmd.CombinedOutput()
	require.NoError(t, ctx.Err(), "%s", out)
	return string(out), err
}

// testPattern matches one subtest exactly.
func testPattern(sentence string) string {
	var parts []string
	for part := range strings.SplitSeq("TestCandidate/"+sentence, "/") {
		parts = append(parts, "^"+regexp.QuoteMeta(part)+"$")
	}
	return strings.Join(parts, "/")
}

// wrapped is a store whose sessions go through wrap.
type wrapped struct {
	store.Store
	wrap func(store.Session) store.Session
}

func (w wrapped) Join(ctx context.Context, worker string, lease time.Duration) (store.Session, error) {
	session, err := w.Store.Join(ctx, worker, lease)
	if err != nil || w.wrap == nil {
		return session, err
	}
	return w.wrap(session), nil
}

// unfenced lets a session write what another one holds: when the store refuses, it
// looks for a session that may.
func unfenced(s store.Store) store.Store {
	var all []store.Session
	return wrapped{s, func(session store.Session) store.Session {
		all = append(all, session)
		return unfencedSession{session, &all}
	}}
}

type unfencedSession struct {
	store.Session
	all *[]store.Session
}

func (s unfencedSession) Settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	for _, session := range *s.all {
		for claim := ref.Claim; claim < ref.Claim+3; claim++ {
			if state, err := session.Settle(ctx, store.Ref{ID: ref.ID, Claim: claim}, outcome); err == nil {
				return state, nil
			}
		}
	}
	return "", store.ErrLeaseLost
}

// aliasing keeps the slices that it was given.
func aliasing(s store.Store) store.Store {
	a := &aliasingStore{Store: s, requests: map[string]store.NewJob{}, results: map[string][]byte{}}
	return a
}

type aliasingStore struct {
	store.Store
	requests map[string]store.NewJob
	results  map[string][]byte
}

func (a *aliasingStore) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	made, created, err := a.Store.Create(ctx, job)
	a.requests[made.ID] = job
	return made, created, err
}

func (a *aliasingStore) Result(ctx context.Context, id string) (store.Job, []byte, error) {
	job, data, err := a.Store.Result(ctx, id)
	if kept, ok := a.results[id]; ok {
		data = kept
	}
	return job, data, err
}

func (a *aliasingStore) Join(ctx context.Context, worker string, lease time.Duration) (store.Session, error) {
	session, err := a.Store.Join(ctx, worker, lease)
	return aliasingSession{session, a}, err
}

type aliasingSession struct {
	store.Session
	kept *aliasingStore
}

func (s aliasingSession) Claim(ctx context.Context, want []store.Want) (store.Batch, error) {
	batch, err := s.Session.Claim(ctx, want)
	for i, claim := range batch.Claims {
		batch.Claims[i].Request = s.kept.requests[claim.Ref.ID].Request
		batch.Claims[i].Envelope = s.kept.requests[claim.Ref.ID].Envelope
	}
	return batch, err
}

func (s aliasingSession) Settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	state, err := s.Session.Settle(ctx, ref, outcome)
	if r := outcome.Result(); r != nil && err == nil {
		s.kept.results[ref.ID] = r.Data
	}
	return state, err
}

// sleepy loses every wake-up.
func sleepy(s store.Store) store.Store {
	return wrapped{s, func(session store.Session) store.Session { return sleepySession{session} }}
}

type sleepySession struct{ store.Session }

func (sleepySession) Arrived() <-chan struct{} { return nil }

// forgetful lets a completion overwrite a cancel: it does not mark running jobs.
func forgetful(s store.Store) store.Store { return forgetfulStore{s} }

type forgetfulStore struct{ store.Store }

func (s forgetfulStore) Cancel(ctx context.Context, id string) (store.Job, error) {
	job, err := s.Get(ctx, id)
	if err != nil || job.State != store.InProgress {
		return s.Store.Cancel(ctx, id)
	}
	job.CancelRequestedAt = time.Now()
	return job, nil
}

// generous claims more than was asked for.
func generous(s store.Store) store.Store {
	return wrapped{s, func(session store.Session) store.Session { return generousSession{session} }}
}

type generousSession struct{ store.Session }

func (s generousSession) Claim(ctx context.Context, want []store.Want) (store.Batch, error) {
	more := append([]store.Want(nil), want...)
	for i := range more {
		more[i].Max++
	}
	return s.Session.Claim(ctx, more)
}

// unbounded takes every job.
func unbounded(s store.Store) store.Store { return unboundedStore{s} }

type unboundedStore struct{ store.Store }

func (s unboundedStore) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	job.MaxWaiting = 0
	made, created, err := s.Store.Create(ctx, job)
	if errors.Is(err, store.ErrFull) {
		err = nil
	}
	return made, created, err
}
