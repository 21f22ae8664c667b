package chaos_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/internal/redistest"
)

// TestElsewhere: what a process that has neither taken a job nor runs it shows of it,
// beside what package checklist looks at.
func TestElsewhere(t *testing.T) {
	server := redistest.Start(t)
	routes := func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(func(c *gin.Context) { c.String(http.StatusOK, "0123456789") }))
	}
	owned := ginasync.WithOwner(func(c *gin.Context) string { return c.GetHeader("User") })
	here := serveSite(t, server.Addr(), routes, owned)
	there := serveSite(t, server.Addr(), routes, owned, ginasync.WithoutWorkers())

	t.Run("parts and envelopes of a result", func(t *testing.T) {
		result := there + finished(t, here, there, "ann") + "/result"
		part := call(t, "ann", http.MethodGet, result, "Range", "bytes=2-4")
		assert.Equal(t, http.StatusPartialContent, part.StatusCode)
		assert.Equal(t, "bytes 2-4/10", part.Header.Get("Content-Range"))
		assert.Equal(t, "234", part.body)
		beyond := call(t, "ann", http.MethodGet, result, "Range", "bytes=10-")
		assert.Equal(t, http.StatusRequestedRangeNotSatisfiable, beyond.StatusCode)
		enveloped := call(t, "ann", http.MethodGet, result+"?envelope=1")
		assert.Equal(t, http.StatusOK, enveloped.StatusCode)
		assert.JSONEq(t, `{"status": 200, "headers": {"content-type": "text/plain; charset=utf-8"}, "body": "0123456789"}`, enveloped.body)
	})

	t.Run("pages of the list go on where those of another process ended", func(t *testing.T) {
		var want, seen []string
		for range 5 {
			want = append([]string{finished(t, here, there, "bob")}, want...)
		}
		at, other := here, there
		for next := "/jobs?state=completed&page_size=2"; next != ""; at, other = other, at {
			page := call(t, "bob", http.MethodGet, at+next)
			require.Equal(t, http.StatusOK, page.StatusCode, page.body)
			var list ginasync.StatusList
			require.NoError(t, json.Unmarshal([]byte(page.body), &list))
			for _, job := range list.Jobs {
				seen = append(seen, job.Links.Self)
			}
			if next = ""; list.NextPageToken != "" {
				next = "/jobs?state=completed&page_size=2&page_token=" + url.QueryEscape(list.NextPageToken)
				assert.Equal(t, http.StatusBadRequest, call(t, "ann", http.MethodGet, other+next).StatusCode, "it is a page of bob's")
			}
		}
		assert.Equal(t, want, seen)
	})
}

// finished submits a job here, waits there until it is over, and returns its path.
func finished(t *testing.T, here, there, user string) string {
	t.Helper()
	accepted := call(t, user, http.MethodPost, here+"/x")
	require.Equal(t, http.StatusAccepted, accepted.StatusCode, accepted.body)
	path := accepted.Header.Get("Location")
	done := call(t, user, http.MethodGet, there+path, "Prefer", "wait=30")
	require.Contains(t, done.body, `"done":true`)
	return path
}

// reply is an answer that was read.
type reply struct {
	*http.Response
	body string
}

// call sends a request of a user.
func call(t *testing.T, user, method, target string, header ...string) reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, target, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("User", user)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return reply{resp, string(body)}
}
