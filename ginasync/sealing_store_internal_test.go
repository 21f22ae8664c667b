package ginasync

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/asyncendpoints/gin-async/store/storetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASealedStoreIsAStore(t *testing.T) {
	ring := testKeyring(t, testKey(1), testKey(2))
	storetest.Run(t, func(*testing.T) store.Store {
		return &sealedStore{memstore.New(), ring}
	})
}

// sealedClaim is a claim as it comes out of the store within.
func sealedClaim(ring *keyring, route, owner, request string) store.Claim {
	job := store.NewJob{Route: route, Owner: owner, Request: []byte(request), Envelope: []byte("envelope of " + request)}
	claim := store.Claim{Job: store.Job{Route: route, Owner: owner}}
	claim.Request, claim.Envelope = ring.sealRequest(&job)
	return claim
}

func TestAClaim(t *testing.T) {
	ring := testKeyring(t, testKey(1))
	mine := func() store.Claim { return sealedClaim(ring, "POST /a", "ada", "mine") }
	theirs := func() store.Claim { return sealedClaim(ring, "POST /a", "ada", "theirs") }

	t.Run("opens where it was sealed for", func(t *testing.T) {
		claim := mine()
		ring.openClaim(&claim)
		require.Equal(t, "mine", string(claim.Request))
		require.Equal(t, "envelope of mine", string(claim.Envelope))
	})
	t.Run("that was stored before there were keys stays as it is", func(t *testing.T) {
		claim := store.Claim{Request: []byte("POST / HTTP/1.1"), Envelope: []byte("client_ip=")}
		ring.openClaim(&claim)
		require.Equal(t, "POST / HTTP/1.1", string(claim.Request))
		require.Equal(t, "client_ip=", string(claim.Envelope))
	})
	for name, change := range map[string]func(*store.Claim){
		"moved to another route":               func(c *store.Claim) { c.Job.Route = "POST /b" },
		"moved to another owner":               func(c *store.Claim) { c.Job.Owner = "bob" },
		"moved between route and owner":        func(c *store.Claim) { c.Job.Route, c.Job.Owner = "POST /aa", "da" },
		"with the envelope of another request": func(c *store.Claim) { c.Envelope = theirs().Envelope },
		"with another request":                 func(c *store.Claim) { c.Request = theirs().Request },
		"with request and envelope exchanged":  func(c *store.Claim) { c.Request, c.Envelope = c.Envelope, c.Request },
		"with the request twice":               func(c *store.Claim) { c.Envelope = mine().Request },
		"with an envelope that is not sealed":  func(c *store.Claim) { c.Envelope = []byte("client_ip=&k.user=%22root%22") },
		"with a request that is not sealed":    func(c *store.Claim) { c.Request = []byte("POST / HTTP/1.1\r\n\r\n") },
		"without an envelope":                  func(c *store.Claim) { c.Envelope = nil },
		"without a request":                    func(c *store.Claim) { c.Request = nil },
		"cut within its tag":                   func(c *store.Claim) { c.Request = c.Request[:len(c.Request)-1] },
		"cut to its form":                      func(c *store.Claim) { c.Request, c.Envelope = c.Request[:1], c.Envelope[:1] },
		"of another form":                      func(c *store.Claim) { c.Request[0] = 2 },
		"sealed with a key that is not there":  func(c *store.Claim) { *c = sealedClaim(testKeyring(t, testKey(2)), "POST /a", "ada", "mine") },
		"changed by a bit":                     func(c *store.Claim) { c.Request[sealedHead]++ },
	} {
		t.Run(name+" does not open and is no request", func(t *testing.T) {
			claim := mine()
			change(&claim)
			ring.openClaim(&claim)
			_, err := decodeSnapshot(claim.Request, claim.Envelope)
			require.ErrorIs(t, err, errSealed)
			require.ErrorIs(t, ring.whySealed(claim.Request, claim.Envelope), errSealed)
		})
	}
}

func TestASealedOutcome(t *testing.T) {
	ring := testKeyring(t, testKey(1))
	result := store.Result{Response: store.Response{Status: 400, ContentType: "text/plain; name=secret", Bytes: 6}, Data: []byte("secret")}
	problem := store.Problem{Type: "handler-failed", Title: "handler failed", Status: 400, Detail: "secret"}

	t.Run("keeps what it says and hides what it quotes", func(t *testing.T) {
		for name, outcome := range map[string]store.Outcome{
			"completed":             store.Complete(result),
			"failed":                store.Fail(problem, &result),
			"failed without result": store.Fail(problem, nil),
			"retried":               store.RetryAfter(time.Second, problem),
			"canceled":              store.Cancel(),
			"completed empty":       store.Complete(store.Result{}),
		} {
			sealed := ring.sealOutcome("job", outcome)
			assert.Equal(t, outcome.State(), sealed.State(), name)
			assert.Equal(t, outcome.Delay(), sealed.Delay(), name)

			job := store.Job{ID: "job", Problem: sealed.Problem()}
			assert.Equal(t, outcome.Problem().IsZero(), sealed.Problem().IsZero(), name)
			assert.NotContains(t, job.Problem.Detail, "secret", name)
			if outcome.Result() == nil {
				assert.Nil(t, sealed.Result(), name)
			} else {
				job.Response = sealed.Result().Response
				assert.NotContains(t, job.Response.ContentType, "secret", name)
				assert.NotContains(t, string(sealed.Result().Data), "secret", name)
				assert.Equal(t, string(outcome.Result().Data), string(ring.openResult("job", sealed.Result().Data)), name)
			}
			ring.openTexts(&job)
			assert.Equal(t, outcome.Problem(), job.Problem, name)
			if outcome.Result() != nil {
				assert.Equal(t, outcome.Result().Response, job.Response, name)
			}
		}
	})
	t.Run("leaves the result it was given alone", func(t *testing.T) {
		given := result
		ring.sealOutcome("job", store.Fail(problem, &given))
		require.Equal(t, result, given)
		require.Equal(t, "secret", string(given.Data))
	})
	t.Run("does not open at another job", func(t *testing.T) {
		sealed := ring.sealOutcome("job", store.Fail(problem, &result))
		data := ring.openResult("other", sealed.Result().Data)
		require.True(t, isSealed(data))
		_, _, _, err := decodeResponse(data)
		require.ErrorIs(t, err, errSealed)
		job := store.Job{ID: "other", Problem: sealed.Problem(), Response: sealed.Result().Response}
		ring.openTexts(&job)
		require.Equal(t, notOpened, job.Problem.Detail)
		require.Empty(t, job.Response.ContentType)
	})
}

func TestASealedText(t *testing.T) {
	ring := testKeyring(t, testKey(1))
	sealed := ring.sealText(sealedDetail, "job", "secret")

	t.Run("is recognised, is text, and opens as what it is", func(t *testing.T) {
		require.Regexp(t, `^ginasync-sealed:[A-Za-z0-9_-]+$`, sealed)
		require.Equal(t, "secret", ring.openText(sealedDetail, "job", sealed, "instead"))
		require.Equal(t, notOpened, withoutSealed(sealed, notOpened))
	})
	t.Run("does not open as another text or at another job", func(t *testing.T) {
		require.Equal(t, "instead", ring.openText(sealedMessage, "job", sealed, "instead"))
		require.Equal(t, "instead", ring.openText(sealedDetail, "other", sealed, "instead"))
		require.Equal(t, "instead", ring.openText(sealedDetail, "job", sealed+"!", "instead"))
		require.Equal(t, "instead", ring.openText(sealedDetail, "job", sealedText, "instead"))
	})
	t.Run("is empty when the text is", func(t *testing.T) {
		require.Empty(t, ring.sealText(sealedDetail, "job", ""))
		require.Empty(t, ring.openText(sealedDetail, "job", "", "instead"))
	})
	t.Run("that was stored before there were keys stays as it is", func(t *testing.T) {
		require.Equal(t, "plain: text", ring.openText(sealedDetail, "job", "plain: text", "instead"))
		require.Equal(t, "plain: text", withoutSealed("plain: text", "instead"))
	})
	t.Run("that begins like a sealed one is sealed like any other", func(t *testing.T) {
		odd := ring.sealText(sealedDetail, "job", sealedText+"x")
		require.Equal(t, sealedText+"x", ring.openText(sealedDetail, "job", odd, "instead"))
	})
}

// failedJob makes a job of the store that has all texts there are.
func failedJob(t *testing.T, s store.Store) (store.Job, store.NewJob) {
	t.Helper()
	order := store.NewJob{Route: "POST /a", Queue: "default", MaxAttempts: 1, Retention: time.Hour, Key: "key", Fingerprint: "print"}
	created, _, err := s.Create(t.Context(), order)
	require.NoError(t, err)
	session, err := s.Join(t.Context(), "worker", time.Minute)
	require.NoError(t, err)
	batch, err := session.Claim(t.Context(), []store.Want{{Queue: "default", Max: 1}})
	require.NoError(t, err)
	require.Len(t, batch.Claims, 1)
	ref := batch.Claims[0].Ref
	require.NoError(t, session.Report(t.Context(), ref, store.Progress{Percent: 1, Message: "message"}))
	_, err = session.Settle(t.Context(), ref, store.Fail(store.Problem{Type: "t", Detail: "detail"},
		&store.Result{Response: store.Response{Status: 400, ContentType: "content/type"}, Data: []byte("data")}))
	require.NoError(t, err)
	require.NoError(t, session.Leave(t.Context()))
	return created, order
}

func TestEveryWayToAJobOfASealedStoreOpensItsTexts(t *testing.T) {
	s := &sealedStore{memstore.New(), testKeyring(t, testKey(1))}
	job, order := failedJob(t, s)
	for name, look := range map[string]func() (store.Job, error){
		"Get":    func() (store.Job, error) { return s.Get(t.Context(), job.ID) },
		"Result": func() (store.Job, error) { j, _, err := s.Result(t.Context(), job.ID); return j, err },
		"Create": func() (store.Job, error) { j, _, err := s.Create(t.Context(), order); return j, err },
		"Cancel": func() (store.Job, error) {
			j, err := s.Cancel(t.Context(), job.ID)
			require.ErrorIs(t, err, store.ErrFinished)
			return j, nil
		},
		"List": func() (store.Job, error) {
			page, err := s.List(t.Context(), store.Query{})
			require.Len(t, page.Jobs, 1)
			return page.Jobs[0], err
		},
	} {
		got, err := look()
		require.NoError(t, err, name)
		assert.Equal(t, job.ID, got.ID, name)
		assert.Equal(t, "message", got.Progress.Message, name)
		assert.Equal(t, "detail", got.Problem.Detail, name)
		assert.Equal(t, "content/type", got.Response.ContentType, name)
	}
	retried, err := s.Retry(t.Context(), job.ID, 1)
	require.NoError(t, err)
	assert.Equal(t, store.Queued, retried.State)
}

func TestASealedStorePassesOnWhatTheStoreWithinSays(t *testing.T) {
	ring := testKeyring(t, testKey(1))
	silent := sealedStore{struct{ store.Store }{memstore.New()}, ring}
	assert.False(t, silent.Local())
	assert.Empty(t, silent.Advice(t.Context()))
	require.NoError(t, silent.Err())

	telling := sealedStore{tellingStore{memstore.New()}, ring}
	assert.True(t, telling.Local())
	assert.Equal(t, []string{"back up"}, telling.Advice(t.Context()))
	require.ErrorIs(t, telling.Err(), errTelling)

	_, err := (&sealedStore{tellingStore{memstore.New()}, ring}).Join(t.Context(), "worker", time.Second)
	require.ErrorIs(t, err, errTelling)
}

var errTelling = errors.New("made wrongly")

type tellingStore struct{ *memstore.Store }

func (tellingStore) Advice(context.Context) []string { return []string{"back up"} }
func (tellingStore) Err() error                      { return errTelling }

func (tellingStore) Join(context.Context, string, time.Duration) (store.Session, error) {
	return nil, errTelling
}
