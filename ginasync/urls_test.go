package ginasync_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// behind makes a reach its server through a proxy that serves it under a prefix, which
// the server does not see.
func behind(t *testing.T, a *app, prefix string) *app {
	t.Helper()
	target, err := url.Parse(a.url)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Header.Set("X-Public-Prefix", prefix)
	}}
	front := httptest.NewServer(http.StripPrefix(prefix, proxy))
	t.Cleanup(front.Close)
	there := *a
	there.url = front.URL
	return &there
}

// resolve is where a reference in an answer leads its client.
func resolve(t *testing.T, got answer, reference string) string {
	t.Helper()
	u, err := got.Request.URL.Parse(reference)
	require.NoError(t, err)
	return u.String()
}

func TestURLsLeadBackThroughAProxyThatStripsAPrefix(t *testing.T) {
	routes := func(r *gin.Engine) {
		r.POST("/v1/reports", ginasync.Async(text("done")))
		r.POST("/v1/broken", ginasync.Async(func(c *gin.Context) { c.Status(http.StatusConflict) }))
	}
	for name, opt := range map[string]ginasync.Option{
		"WithBaseURL": ginasync.WithBaseURL("/api/eu"),
		"WithURL": ginasync.WithURL(func(c *gin.Context, path string) string {
			return c.GetHeader("X-Public-Prefix") + path // which the proxy sets, whatever was sent
		}),
	} {
		t.Run("by "+name, func(t *testing.T) {
			a := newApp(t, routes, opt)
			front := behind(t, a, "/api/eu")
			follow := func(got answer, reference string) answer {
				t.Helper()
				return front.get(strings.TrimPrefix(resolve(t, got, reference), front.url))
			}
			accepted := front.post("/api/eu/v1/reports", "")
			require.Equal(t, http.StatusAccepted, accepted.StatusCode)
			assert.Equal(t, accepted.Header.Get("Location"), accepted.Header.Get("Content-Location"))
			a.finish(accepted.status(t).ID)
			status := follow(accepted, accepted.Header.Get("Location"))
			assert.Equal(t, store.Completed, status.status(t).State)
			assert.Equal(t, "done", string(follow(status, status.status(t).Links.Result).body))

			inline := front.post("/api/eu/v1/reports", "", "Prefer", "wait=10")
			monitor := strings.TrimSuffix(strings.TrimPrefix(inline.Header.Get("Link"), "<"), `>; rel="monitor"`)
			assert.True(t, follow(inline, monitor).status(t).Done)

			failed := front.post("/api/eu/v1/broken", "")
			a.finish(failed.status(t).ID)
			links := follow(failed, failed.Header.Get("Location")).status(t).Links
			retried := front.post(links.Retry, "")
			assert.Equal(t, http.StatusAccepted, retried.StatusCode)
			assert.Equal(t, links.Self, retried.Header.Get("Location"))
			events := follow(failed, links.Self+"/events")
			assert.Contains(t, string(events.body), `"self":"`+links.Self+`"`)
		})
	}
}

func TestURLsAreNotWhatAClientSays(t *testing.T) {
	const evil = "evil.example"
	check := func(t *testing.T, opts ...ginasync.Option) {
		t.Helper()
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) { c.Header("Location", "991") }))
			r.POST("/slow", ginasync.Async(text(""), ginasync.Delay(time.Hour)))
		}, opts...)
		spoofed := func(method, path string, header ...string) answer {
			t.Helper()
			req, err := http.NewRequestWithContext(t.Context(), method, a.url+path, http.NoBody)
			require.NoError(t, err)
			req.Host = evil
			for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Original-Host", "X-Host"} {
				req.Header.Set(name, evil)
			}
			req.Header.Set("Forwarded", "host="+evil)
			for i := 0; i < len(header); i += 2 {
				req.Header.Set(header[i], header[i+1])
			}
			got := a.send(req)
			var head strings.Builder
			require.NoError(t, got.Header.Write(&head))
			assert.NotContains(t, head.String()+string(got.body), evil, "%s %s", method, path)
			return got
		}
		waiting := spoofed(http.MethodPost, "/slow").status(t).ID
		done := spoofed(http.MethodPost, "/x").status(t).ID
		a.finish(done)
		spoofed(http.MethodPost, "/x", "Prefer", "wait=10")
		for _, id := range []string{waiting, done, store.NewID('a')} {
			spoofed(http.MethodGet, "/jobs/"+id)
			spoofed(http.MethodGet, "/jobs/"+id+"/result")
			if id != waiting { // its stream does not end
				spoofed(http.MethodGet, "/jobs/"+id+"/events")
			}
			spoofed(http.MethodPost, "/jobs/"+id+"/retry")
			spoofed(http.MethodPost, "/jobs/"+id+"/cancel")
		}
	}
	t.Run("when they are paths", func(t *testing.T) { check(t) })
	t.Run("when they have a base", func(t *testing.T) { check(t, ginasync.WithBaseURL("https://api.example.com")) })
}

func TestWithURLMayLeaveAURLOut(t *testing.T) {
	a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(text(""))) },
		ginasync.WithURL(func(_ *gin.Context, path string) string {
			if strings.HasSuffix(path, "/events") {
				return "" // nothing that buffers streams lets them through
			}
			return "https://api.example.com" + path
		}), ginasync.WithBaseURL("https://not.this.example"))
	got := a.post("/x", "")
	id := got.status(t).ID
	self := "https://api.example.com/jobs/" + id
	assert.Equal(t, self, got.Header.Get("Location"))
	assert.Equal(t, ginasync.Links{Self: self, Result: self + "/result", Cancel: self + "/cancel"}, got.status(t).Links)
	a.finish(id)
}
