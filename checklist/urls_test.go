package checklist_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

const publicPrefix = "/api/eu"

// proxy serves a site under a prefix that the processes do not see, and spreads the
// requests: those that submit go to the one, all others to the other.
func proxy(t *testing.T, s *site) string {
	t.Helper()
	accepts, err := url.Parse(s.accepts.url)
	require.NoError(t, err)
	shows, err := url.Parse(s.shows.url)
	require.NoError(t, err)
	transport := &http.Transport{}
	forward := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		target := shows
		if !strings.HasPrefix(r.In.URL.Path, "/jobs") {
			target = accepts
		}
		r.SetURL(target)
		r.Out.Host = r.In.Host
		r.Out.Header.Set(prefixHeader, publicPrefix)
	}}
	front := httptest.NewServer(http.StripPrefix(publicPrefix, forward))
	t.Cleanup(func() {
		front.Close()
		transport.CloseIdleConnections()
	})
	return front.URL
}

func leadsBack(t *testing.T, s *site) {
	here, _ := s.clients(t)
	front := here
	front.url = proxy(t, s)
	follow := func(got answer, reference string) string {
		t.Helper()
		u, err := got.Request.URL.Parse(reference)
		require.NoError(t, err)
		return strings.TrimPrefix(u.String(), front.url)
	}
	accepted := front.post(publicPrefix + "/any")
	require.Equal(t, http.StatusAccepted, accepted.StatusCode, accepted.body)
	assert.Equal(t, accepted.Header.Get("Location"), accepted.Header.Get("Content-Location"))
	status := front.get(follow(accepted, accepted.Header.Get("Location")), "Prefer", "wait=20")
	assert.Equal(t, store.Completed, status.status(t).State)
	assert.Equal(t, plainWords, front.get(follow(status, status.status(t).Links.Result)).body)

	failed := front.post(publicPrefix + "/answers/404")
	links := front.get(follow(failed, failed.Header.Get("Location")), "Prefer", "wait=20").status(t).Links
	retried := front.post(follow(failed, links.Retry))
	require.Equal(t, http.StatusAccepted, retried.StatusCode)
	assert.Equal(t, links.Self, retried.Header.Get("Location"))
	front.get(follow(failed, links.Self), "Prefer", "wait=20")
	events := front.get(follow(failed, links.Self+"/events"))
	assert.Contains(t, events.body, `"self":"`+links.Self+`"`)
	refers := front.post(publicPrefix+"/v1/reports/annual", "Prefer", "wait=20")
	assert.Equal(t, publicPrefix+"/v1/reports/991", refers.Header.Get("Location"))

	isNotWhatAClientSays(t, s)
}

func isNotWhatAClientSays(t *testing.T, s *site) {
	const evil = "evil.example"
	here, there := s.clients(t)
	spoofed := func(c caller, method, target string, header ...string) answer {
		t.Helper()
		req := c.request(t.Context(), method, target, "", header...)
		req.Host = evil
		for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Original-Host", "X-Host"} {
			req.Header.Set(name, evil)
		}
		req.Header.Set("Forwarded", "host="+evil)
		got, err := c.send(req)
		require.NoError(t, err)
		assert.NotContains(t, got.wire(t), evil)
		return got
	}
	id := spoofed(here, http.MethodPost, "/v1/reports/annual").status(t).ID
	there.await(id)
	spoofed(here, http.MethodPost, "/v1/reports/annual", "Prefer", "wait=20")
	for _, q := range questions() {
		spoofed(there, q.method, "/jobs/"+id+q.path, q.header...)
	}
	spoofed(there, http.MethodGet, "/jobs")
}
