package ginasync_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const callbackHeader = "X-Callback-Url"

// callbacks let clients name hooks.test.
func callbacks(h *hook, more ...ginasync.Option) []ginasync.Option {
	return append([]ginasync.Option{
		ginasync.WithWebhookSecrets("hooks.test", hookSecret),
		ginasync.WithCallbacks(callbackHeader, "hooks.test"),
		// In a bubble there is no TLS: what was checked as https goes out as it is.
		ginasync.WithWebhookTransport(func(tr *http.Transport) {
			tr.DialTLSContext, tr.DisableKeepAlives = h.wire.dial, true
		}),
	}, more...)
}

// withCallbacks runs a test in a bubble whose hook is a receiver that clients may name.
func withCallbacks(t *testing.T, name string, test func(t *testing.T, b *bubble, h *hook), opts ...ginasync.Option) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHook(t)
			h.serve()
			test(t, newBubble(t, someRoutes, callbacks(h, opts...)...), h)
		})
	})
}

func TestCallbackIsRefused(t *testing.T) {
	a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) }, ginasync.WithoutWorkers(),
		ginasync.WithWebhookSecrets("hooks.test", hookSecret), ginasync.WithCallbacks("x-callback-url", "hooks.test"))
	for given, why := range map[string]string{
		"http://hooks.test/":                              "https://",
		"https://127.0.0.1/":                              "not among those allowed",
		"https://[::ffff:127.0.0.1]/":                     "not among those allowed",
		"https://169.254.169.254/latest/meta-data":        "not among those allowed",
		"https://2130706433/":                             "not among those allowed",
		"https://0x7f.1/":                                 "not among those allowed",
		"https://elsewhere.test/":                         "not among those allowed",
		"https://hooks.test:8443/":                        "not among those allowed",
		"https://a:b@hooks.test/":                         "user",
		"https://hooks.test/#x":                           "fragment",
		"https://hooks.test/" + strings.Repeat("a", 2048): "2048",
		"":          "scheme and a host",
		"jobs":      "scheme and a host",
		"https://%": "not a URL",
	} {
		got := a.post("/x", "", callbackHeader, given)
		require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode, given)
		problem := got.problem(t)
		assert.Contains(t, problem.Type, "#callback-rejected")
		assert.Contains(t, problem.Detail, why, given)
		assert.NotContains(t, problem.Detail, "elsewhere")
	}
	got := a.post("/x", "", callbackHeader, "https://hooks.test/1", callbackHeader, "https://hooks.test/2")
	assert.Contains(t, got.problem(t).Detail, "more than one")
	stats, err := a.store.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, store.Stats{}, stats, "nothing was stored")
	assert.Equal(t, http.StatusAccepted, a.post("/x", "", callbackHeader, "https://HOOKS.test:443/x?y=z").StatusCode)
}

func TestCallback(t *testing.T) {
	withCallbacks(t, "is told of its own job and of no other", func(t *testing.T, b *bubble, h *hook) {
		b.submit("/fine", "")
		id := b.submit("/fine", "", callbackHeader, "https://hooks.test/cb?token=42")
		got := h.only()
		assert.Equal(t, "hooks.test/cb?token=42", got.to)
		assert.Equal(t, id, got.job.ID)
		time.Sleep(time.Hour)
		assert.Equal(t, 1, h.count())
	})

	withCallbacks(t, "adds to what the operator has set, and the same URL is told once", func(t *testing.T, b *bubble, h *hook) {
		b.submit("/fine", "", callbackHeader, "https://hooks.test/cb")
		b.submit("/fine", "", callbackHeader, "https://hooks.test/all")
		synctest.Wait()
		var to []string
		for _, m := range h.got() {
			to = append(to, m.to)
		}
		assert.ElementsMatch(t, []string{"hooks.test/cb", "hooks.test/all", "hooks.test/all"}, to)
	}, ginasync.WithWebhooks("https://hooks.test/all"))

	withCallbacks(t, "is told within two minutes of a job that was canceled while it waited", func(t *testing.T, b *bubble, h *hook) {
		id := b.submit("/later", "", callbackHeader, "https://hooks.test/cb")
		time.Sleep(50 * time.Minute)
		assert.Equal(t, http.StatusOK, b.post("/jobs/"+id+"/cancel", "").StatusCode)
		time.Sleep(2*time.Minute + 20*time.Second)
		assert.Equal(t, "job.canceled", h.only().event.Type)
	})

	withCallbacks(t, "is known to a job that is tried again, even if that is canceled before it runs", func(t *testing.T, b *bubble, h *hook) {
		id := b.submit("/bad", "", callbackHeader, "https://hooks.test/cb")
		h.only()
		time.Sleep(time.Minute)
		require.NoError(t, b.jobs.Shutdown(t.Context())) // nobody runs it
		_, err := b.jobs.Retry(t.Context(), id)
		require.NoError(t, err)
		_, err = b.jobs.Cancel(t.Context(), id)
		require.NoError(t, err)
		b.beside(callbacks(h)...)
		time.Sleep(3 * time.Minute)
		got := h.got()
		require.Equal(t, 2, len(got))
		assert.Equal(t, "job.canceled", got[1].event.Type)
	})

	t.Run("a process that no longer allows the host does not send, and one that does may later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHook(t)
			h.serve()
			b := newBubble(t, someRoutes, callbacks(h, ginasync.WithoutWorkers())...)
			b.submit("/fine", "", callbackHeader, "https://hooks.test/cb")
			narrow := b.beside(ginasync.WithWebhookSecrets("hooks.test", hookSecret))
			time.Sleep(time.Minute)
			assert.Zero(t, h.count())
			require.NoError(t, narrow.Shutdown(t.Context()))
			b.beside(callbacks(h)...)
			time.Sleep(10 * time.Minute)
			h.only()
		})
	})
}

// TestCallbackThroughTheNetwork sends to a real server with TLS.
func TestCallbackThroughTheNetwork(t *testing.T) {
	contacts := make(chan string, 10)
	receiver := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		contacts <- string(body)
	}))
	receiver.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			contacts <- "connection"
		}
	}
	receiver.StartTLS()
	defer receiver.Close()
	target, err := url.Parse(receiver.URL)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(receiver.Certificate())
	trust := ginasync.WithWebhookTransport(func(tr *http.Transport) {
		tr.TLSClientConfig = &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS12}
	})
	host := "localhost:" + target.Port()
	allow := func(more ...ginasync.Option) []ginasync.Option {
		return append(more, trust, ginasync.WithWebhookSecrets(host, hookSecret), ginasync.WithCallbacks(callbackHeader, host))
	}
	routes := func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) }

	t.Run("a host that is allowed and turns out to be private gets no connection", func(t *testing.T) {
		a := newApp(t, routes, allow()...)
		a.finish(a.submit("/x", "", callbackHeader, "https://"+host+"/"))
		require.Eventually(t, func() bool {
			page, err := a.store.List(t.Context(), store.Query{Owner: ginasync.DeliveryOwner, Route: ginasync.DeliveryRoute})
			return err == nil && len(page.Jobs) == 1 && page.Jobs[0].State == store.Scheduled &&
				strings.Contains(page.Jobs[0].Problem.Detail, "is not public")
		}, patience, 10*time.Millisecond)
		assert.Empty(t, contacts)
	})

	t.Run("unless the operator says that it may be", func(t *testing.T) {
		a := newApp(t, routes, allow(ginasync.WithCallbackNetworks("127.0.0.0/8", "::1"))...)
		id := a.submit("/x", "", callbackHeader, "https://"+host+"/")
		assert.Equal(t, "connection", <-contacts)
		assert.Contains(t, <-contacts, id)
	})
}

// TestWebhookSecretsAreNotStored: neither is the URL that a client gave, when there are keys.
func TestWebhookSecretsAreNotStored(t *testing.T) {
	for name, opts := range map[string][]ginasync.Option{"in the clear": nil, "sealed": {ginasync.WithEncryption(key(1))}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHook(t)
				h.serve()
				h.answers(status(http.StatusInternalServerError))
				notes := newNotebook()
				b := newBubbleOn(t, notes, someRoutes, callbacks(h, opts...)...)
				b.submit("/bad", "", callbackHeader, "https://hooks.test/cb?token=42")
				h.only()
				h.answers(nil)
				time.Sleep(time.Minute)
				assert.Equal(t, 2, h.count())
				assert.NotContains(t, notes.text(), "MfKQ9r8G")
				decoded, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(hookSecret, "whsec_"))
				require.NoError(t, err)
				assert.NotContains(t, notes.text(), string(decoded))
				assert.Equal(t, name != "sealed", strings.Contains(notes.text(), "token=42"))
			})
		})
	}
}
