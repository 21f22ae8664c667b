package ginasync_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/ginasync/webhook"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	hookSecret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherSecret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	hookURL     = "http://hooks.test/jobs"
)

// hook receives webhooks, each of which it verifies, and answers as it is told to.
type hook struct {
	t    *testing.T
	wire *network

	mu       sync.Mutex
	answer   http.HandlerFunc // nil: 204
	messages []message
}

// message is what came to a hook.
type message struct {
	to, id, body string
	at           time.Time // that is signed
	came         time.Time
	event        webhook.Event
	job          ginasync.Status
	header       http.Header
}

// newHook makes a receiver in a bubble.
func newHook(t *testing.T) *hook {
	t.Helper()
	return &hook{t: t, wire: &network{conns: make(chan net.Conn), closed: make(chan struct{})}}
}

// options send the events of all routes to the hook.
func (h *hook) options(more ...ginasync.Option) []ginasync.Option {
	return append([]ginasync.Option{
		ginasync.WithWebhookSecrets("hooks.test", hookSecret),
		ginasync.WithWebhooks(hookURL),
		ginasync.WithBaseURL("https://api.test"),
		h.transport(),
	}, more...)
}

func (h *hook) transport() ginasync.Option {
	return ginasync.WithWebhookTransport(func(tr *http.Transport) {
		tr.DialContext, tr.DisableKeepAlives = h.wire.dial, true
	})
}

// serve lets the hook answer until the test ends.
func (h *hook) serve() {
	server := &http.Server{Handler: h}
	served := make(chan error, 1)
	go func() { served <- server.Serve(h.wire) }()
	h.t.Cleanup(func() {
		assert.NoError(h.t, server.Close())
		assert.ErrorIs(h.t, <-served, http.ErrServerClosed)
	})
}

func (h *hook) answers(answer http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = answer
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(h.t, err)
	secret, err := webhook.ParseSecret(hookSecret)
	assert.NoError(h.t, err)
	assert.NoError(h.t, webhook.Verify(r.Header, body, secret))
	m := message{to: r.Host + r.RequestURI, id: webhook.ID(r.Header), body: string(body), came: time.Now(), header: r.Header}
	assert.NoError(h.t, json.Unmarshal(body, &m.event))
	assert.NoError(h.t, json.Unmarshal(m.event.Data, &m.job))
	var seconds int64
	assert.NoError(h.t, json.Unmarshal([]byte(r.Header.Get("webhook-timestamp")), &seconds))
	m.at = time.Unix(seconds, 0)
	h.mu.Lock()
	h.messages = append(h.messages, m)
	answer := h.answer
	h.mu.Unlock()
	if answer == nil {
		answer = status(http.StatusNoContent)
	}
	answer(w, r)
}

// got returns what has come so far.
func (h *hook) got() []message {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]message(nil), h.messages...)
}

func (h *hook) count() int { return len(h.got()) }

// only returns the one message that came.
func (h *hook) only() message {
	h.t.Helper()
	synctest.Wait()
	got := h.got()
	require.Equal(h.t, 1, len(got), "messages that came")
	return got[0]
}

// waiting lists the jobs of webhooks that are on a route and not over.
func waiting(t *testing.T, s store.Store, route string) []store.Job {
	t.Helper()
	var jobs []store.Job
	for _, owner := range []string{ginasync.DeliveryOwner, ginasync.LookoutOwner} {
		page, err := s.List(context.Background(), store.Query{
			Owner: owner, Route: route, Limit: 200,
			States: []store.State{store.Queued, store.Scheduled, store.InProgress},
		})
		require.NoError(t, err)
		jobs = append(jobs, page.Jobs...)
	}
	return jobs
}
