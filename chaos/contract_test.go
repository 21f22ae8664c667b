package chaos_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
)

// TestTheContractHoldsElsewhere: what package ginasync promises of a job is true at a
// process that neither has taken it nor runs it.
func TestTheContractHoldsElsewhere(t *testing.T) {
	server := redistest.Start(t)
	owned := ginasync.WithOwner(func(c *gin.Context) string { return c.GetHeader("User") })
	here := serveSite(t, server.Addr(), contractRoutes, owned)
	there := serveSite(t, server.Addr(), contractRoutes, owned, ginasync.WithoutWorkers())
	for name, test := range map[string]func(pair){
		"a job of another owner is one that never was":                pair.hidesJobs,
		"a malformed id is one that never was":                        pair.refusesIDs,
		"a handler's answer is replayed, marked, and without secrets": pair.replays,
		"what is no answer of a handler is not marked":                pair.marksNothing,
		"parts and envelopes of a result":                             pair.sendsParts,
		"panics and results that are too large fail":                  pair.fails,
		"a tag stands for the same document":                          pair.revalidates,
		"a wait with a tag ends with any change":                      pair.waitsForNews,
		"a client that goes away leaves its job alone":                pair.survivesClients,
		"cancel, retry and delete in each state":                      pair.controls,
		"pages of the list go on where they ended":                    pair.lists,
		"OPTIONS and HEAD make no job":                                pair.ordersNothing,
		"a key means one job of one owner":                            pair.repeats,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(pair{t, here, there})
		})
	}
}

// requests are all that can be asked of a job: method, what is behind its path, headers.
func requests() [][]string {
	return [][]string{
		{http.MethodGet, ""},
		{http.MethodGet, "", "Prefer", "wait=1"},
		{http.MethodGet, "", "If-None-Match", "*"},
		{http.MethodGet, "/result"},
		{http.MethodGet, "/result", "Prefer", "wait=1"},
		{http.MethodGet, "/result", "Range", "bytes=0-1"},
		{http.MethodGet, "/events"},
		{http.MethodGet, "/events", "Last-Event-ID", "99"},
		{http.MethodPost, "/cancel"},
		{http.MethodPost, "/retry"},
		{http.MethodDelete, ""},
	}
}

// stranger is how one who is not ann is answered, byte for byte but for the date.
func (p pair) stranger(request []string, path string) string {
	p.t.Helper()
	got := p.call(request[0], p.there+path+request[1], append([]string{"User", "bob"}, request[2:]...)...)
	got.Header.Del("Date")
	head, err := httputil.DumpResponse(got.Response, false)
	require.NoError(p.t, err)
	return string(head) + got.body
}

func (p pair) hidesJobs() {
	paths := []string{p.finished("text"), p.finished("missing"), p.held()}
	for _, request := range requests() {
		want := p.stranger(request, "/jobs/"+store.NewID('a'))
		require.Contains(p.t, want, "404 Not Found\r\n", request)
		for _, path := range paths {
			assert.Equal(p.t, want, p.stranger(request, path), request)
		}
	}
	p.call(http.MethodPost, p.there+paths[2]+"/cancel")
}

func (p pair) refusesIDs() {
	for _, id := range []string{"x", "%00", "A" + store.NewID('a')[1:], store.NewID('a') + "a"} {
		for _, request := range requests() {
			assert.Contains(p.t, p.stranger(request, "/jobs/"+id), "404 Not Found\r\n", request)
		}
	}
}

func (p pair) replays() {
	result := p.get(p.there + p.finished("created") + "/result")
	assert.Equal(p.t, http.StatusCreated, result.StatusCode)
	assert.Equal(p.t, "201", result.Header.Get("AsyncResult"))
	assert.JSONEq(p.t, `{"id": 991}`, result.body)
	assert.Equal(p.t, "/v1/991?full=1", result.Header.Get("Location"), "it leads where the handler meant")
	assert.Equal(p.t, "private, no-store", result.Header.Get("Cache-Control"))
	assert.Equal(p.t, "nosniff", result.Header.Get("X-Content-Type-Options"))
	assert.NotContains(p.t, result.Header, "Set-Cookie")
	assert.NotContains(p.t, result.Header, "Access-Control-Allow-Origin")
	refused := p.get(p.there + p.finished("missing") + "/result")
	assert.Equal(p.t, http.StatusNotFound, refused.StatusCode)
	assert.Equal(p.t, "404", refused.Header.Get("AsyncResult"))
	assert.Equal(p.t, "no such year", refused.body)
}

func (p pair) marksNothing() {
	path := p.held()
	early := p.get(p.there + path + "/result")
	assert.Equal(p.t, http.StatusConflict, early.StatusCode)
	assert.NotEmpty(p.t, early.Header.Get("Retry-After"))
	p.call(http.MethodPost, p.there+path+"/cancel")
	canceled := p.get(p.there+path+"/result", "Prefer", "wait=30")
	assert.Contains(p.t, canceled.body, "#job-canceled")
	unknown := p.get(p.there + "/jobs/" + store.NewID('a') + "/result")
	for _, own := range []reply{early, canceled, unknown} {
		assert.Empty(p.t, own.Header.Get("AsyncResult"), own.body)
		assert.Equal(p.t, "no-store", own.Header.Get("Cache-Control"), own.body)
	}
}

func (p pair) sendsParts() {
	path := p.finished("text")
	part := p.get(p.there+path+"/result", "Range", "bytes=2-4")
	assert.Equal(p.t, http.StatusPartialContent, part.StatusCode)
	assert.Equal(p.t, "bytes 2-4/10", part.Header.Get("Content-Range"))
	assert.Equal(p.t, "234", part.body)
	beyond := p.get(p.there+path+"/result", "Range", "bytes=10-")
	assert.Equal(p.t, http.StatusRequestedRangeNotSatisfiable, beyond.StatusCode)
	enveloped := p.get(p.there + path + "/result?envelope=1")
	assert.Equal(p.t, http.StatusOK, enveloped.StatusCode)
	assert.JSONEq(p.t, `{"status": 200, "headers": {"content-type": "text/plain; charset=utf-8"}, "body": "0123456789"}`, enveloped.body)
}

func (p pair) fails() {
	for kind, problem := range map[string]string{"panic": "#panic", "large": "#result-too-large"} {
		path := p.finished(kind)
		status := p.get(p.there + path).status(p.t)
		assert.Equal(p.t, store.Failed, status.State, kind)
		assert.Contains(p.t, status.Error.Type, problem)
		result := p.get(p.there + path + "/result")
		assert.Equal(p.t, http.StatusInternalServerError, result.StatusCode)
		assert.Equal(p.t, "500", result.Header.Get("AsyncResult"))
		assert.NotContains(p.t, result.body, "secret")
		assert.NotContains(p.t, result.body, "goroutine")
	}
}

func (p pair) revalidates() {
	path := p.held()
	tag := p.get(p.here + path).Header.Get("ETag")
	same := p.get(p.there+path, "If-None-Match", `"0", W/`+tag)
	assert.Equal(p.t, http.StatusNotModified, same.StatusCode)
	assert.Equal(p.t, tag, same.Header.Get("ETag"))
	assert.NotEmpty(p.t, same.Header.Get("Retry-After"))
	assert.Equal(p.t, "private, no-cache", same.Header.Get("Cache-Control"))
	p.call(http.MethodPost, p.there+path+"/cancel")
	assert.Equal(p.t, http.StatusOK, p.get(p.here+path, "If-None-Match", tag).StatusCode)
}

func (p pair) waitsForNews() {
	path := p.submit("slow")
	tag, seen := `"0"`, []string{}
	for done := false; !done; {
		news := p.get(p.there+path, "Prefer", "wait=30", "If-None-Match", tag)
		require.Equal(p.t, http.StatusOK, news.StatusCode, news.body)
		assert.Equal(p.t, "wait=30", news.Header.Get("Preference-Applied"))
		require.NotEqual(p.t, tag, news.Header.Get("ETag"))
		tag = news.Header.Get("ETag")
		status := news.status(p.t)
		seen, done = append(seen, string(status.State)), status.Done
	}
	assert.GreaterOrEqual(p.t, len(seen), 2, "%v", seen)
	assert.Equal(p.t, "completed", seen[len(seen)-1])
}

func (p pair) survivesClients() {
	ctx, leave := context.WithTimeout(p.t.Context(), 300*time.Millisecond)
	defer leave()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.here+"/v1/reports/slow", http.NoBody)
	require.NoError(p.t, err)
	req.Header.Set("User", "cyd")
	req.Header.Set("Prefer", "wait=30")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	require.ErrorIs(p.t, err, context.DeadlineExceeded)
	waitFor(p.t, func() error {
		if !strings.Contains(p.get(p.there+"/jobs?state=completed", "User", "cyd").body, `"done":true`) {
			return context.DeadlineExceeded
		}
		return nil
	})
}

func (p pair) controls() {
	path := p.held()
	assert.Equal(p.t, http.StatusConflict, p.call(http.MethodPost, p.there+path+"/retry").StatusCode)
	assert.Equal(p.t, http.StatusAccepted, p.call(http.MethodDelete, p.there+path).StatusCode)
	assert.Equal(p.t, store.Canceled, p.get(p.there+path, "Prefer", "wait=30").status(p.t).State)
	assert.Equal(p.t, http.StatusOK, p.call(http.MethodPost, p.there+path+"/cancel").StatusCode)

	path = p.finished("missing")
	assert.Equal(p.t, http.StatusConflict, p.call(http.MethodPost, p.there+path+"/cancel").StatusCode)
	again := p.call(http.MethodPost, p.there+path+"/retry")
	assert.Equal(p.t, http.StatusAccepted, again.StatusCode)
	assert.Equal(p.t, path, again.Header.Get("Location"))
	assert.Equal(p.t, 2, p.get(p.there+path, "Prefer", "wait=30").status(p.t).Attempt)
	assert.Equal(p.t, http.StatusNoContent, p.call(http.MethodDelete, p.there+path).StatusCode)
	assert.Equal(p.t, http.StatusNotFound, p.get(p.here+path).StatusCode)
}

func (p pair) lists() {
	var want []string
	for range 5 {
		want = append([]string{p.finished("text", "User", "dora")}, want...)
	}
	var seen []string
	next := "/jobs?state=completed&page_size=2"
	for at := p.here; next != ""; at, p.here, p.there = p.there, p.there, p.here {
		page := p.get(at+next, "User", "dora")
		require.Equal(p.t, http.StatusOK, page.StatusCode, page.body)
		var list ginasync.StatusList
		require.NoError(p.t, json.Unmarshal([]byte(page.body), &list))
		for _, job := range list.Jobs {
			seen = append(seen, job.Links.Self)
		}
		if next = ""; list.NextPageToken != "" {
			next = "/jobs?state=completed&page_size=2&page_token=" + url.QueryEscape(list.NextPageToken)
			assert.Equal(p.t, http.StatusBadRequest, p.get(at+next, "User", "bob").StatusCode, "a page of somebody else")
		}
	}
	assert.Equal(p.t, want, seen)
}

func (p pair) ordersNothing() {
	for method, want := range map[string]int{http.MethodOptions: http.StatusNoContent, http.MethodHead: http.StatusMethodNotAllowed} {
		assert.Equal(p.t, want, p.call(method, p.here+"/v1/reports/text", "User", "eve").StatusCode, method)
	}
	assert.JSONEq(p.t, `{"jobs": []}`, p.get(p.there+"/jobs", "User", "eve").body)
}

func (p pair) repeats() {
	first := p.submit("text", "Idempotency-Key", `"k 1"`)
	swapped := pair{p.t, p.there, p.here}
	assert.Equal(p.t, first, swapped.submit("text", "Idempotency-Key", "k 1"))
	other := p.call(http.MethodPost, p.there+"/v1/reports/missing", "Idempotency-Key", "k 1")
	assert.Equal(p.t, http.StatusUnprocessableEntity, other.StatusCode)
	assert.NotEqual(p.t, first, swapped.submit("text", "Idempotency-Key", "k 1", "User", "bob"))
}
