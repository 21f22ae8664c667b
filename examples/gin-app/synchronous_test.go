package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/ginasync/client"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// synchronous is the service as it would be without jobs: the same handlers, registered
// with Gin alone.
func synchronous() *gin.Engine {
	r := gin.New()
	r.POST("/thumbnails", thumbnail)
	r.POST("/reports/:year", reportNow)
	r.POST("/slow/:seconds", slow)
	r.POST("/quick", quick)
	r.POST("/flaky", flaky)
	return r
}

// reportNow is buildReport as an ordinary handler.
func reportNow(c *gin.Context) {
	var path struct {
		Year int `uri:"year" binding:"min=1,max=9999"`
	}
	var body struct {
		Title string    `json:"title" binding:"required"`
		Rows  []float64 `json:"rows"`
	}
	if err := errors.Join(c.ShouldBindUri(&path), c.ShouldBindJSON(&body)); err != nil {
		refuse(c, http.StatusBadRequest, err)
		return
	}
	r, err := buildReport(c.Request.Context(), reportRequest{Year: path.Year, Title: body.Title, Rows: body.Rows})
	if err != nil {
		refuse(c, http.StatusInternalServerError, err)
		return
	}
	c.JSON(http.StatusOK, r)
}

// calls are what the program below asks of a service, by name. Of those with own the
// library words the answer: a bad request to a typed handler, and its error.
func calls(t *testing.T, url string) []call {
	t.Helper()
	photo := asPNG(t, gradient(90, 60))
	report := func(path, body string) *http.Request {
		req := post(t, url+path)
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		req.Header.Set("Content-Type", "application/json")
		return req
	}
	return []call{
		{name: "a thumbnail", req: upload(t, url+"/thumbnails?width=64", "image", photo)},
		{name: "a thumbnail of a text", req: upload(t, url+"/thumbnails", "image", []byte("no picture"))},
		{name: "a thumbnail of no width", req: upload(t, url+"/thumbnails?width=0", "image", photo)},
		{name: "a thumbnail of nothing", req: post(t, url+"/thumbnails")},
		{name: "a report", req: report("/reports/2026", `{"title":"sales","rows":[1,2,6]}`)},
		{name: "a report of nothing", req: report("/reports/1", `{"title":"sales"}`)},
		{name: "a report without a title", req: report("/reports/2026", `{"rows":[1]}`), own: true},
		{name: "a report for no year", req: report("/reports/0", `{"title":"sales"}`), own: true},
		{name: "a report out of range", req: report("/reports/1", `{"title":"sales","rows":[1e308,1e308]}`), own: true},
		{name: "slow work", req: post(t, url+"/slow/1")},
		{name: "slow work of no length", req: post(t, url+"/slow/long")},
		{name: "quick work", req: post(t, url+"/quick")},
		{name: "quick work on a bad day", req: post(t, url+"/quick?seconds=3")},
		{name: "quick work of no length", req: post(t, url+"/quick?seconds=-1")},
		{name: "flaky work", req: post(t, url+"/flaky")},
		{name: "no route", req: post(t, url+"/none")},
	}
}

type call struct {
	name string
	req  *http.Request
	own  bool
}

// callAll is a program that knows nothing of jobs: it sends requests and reads answers.
func callAll(t *testing.T, c *http.Client, calls []call) map[string]answer {
	t.Helper()
	answers := make(map[string]answer)
	for _, call := range calls {
		resp, err := c.Do(call.req)
		require.NoError(t, err, call.name)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err, call.name)
		require.NoError(t, resp.Body.Close())
		answers[call.name] = answer{resp, body}
	}
	return answers
}

// callAsync runs the program against the service with jobs, through a transport.
func callAsync(t *testing.T, transport http.RoundTripper, before gin.HandlerFunc, opts ...ginasync.RouteOption) map[string]answer {
	t.Helper()
	r := gin.New()
	r.Use(before)
	routes(r)
	jobs, err := ginasync.New(r, ginasync.WithDefaults(opts...), ginasync.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	jobs.Routes(r.Group("/jobs"))
	require.NoError(t, jobs.Start(t.Context()))
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, jobs.Shutdown(ctx))
	}()
	server := httptest.NewServer(r)
	defer server.Close()
	return callAll(t, &http.Client{Transport: transport}, calls(t, server.URL))
}

// sameAnswers compares status codes, and bodies byte for byte.
func sameAnswers(t *testing.T, want, got map[string]answer, except func(call) bool) {
	t.Helper()
	for _, call := range calls(t, "http://localhost") {
		assert.Equal(t, want[call.name].StatusCode, got[call.name].StatusCode, call.name)
		if !except(call) {
			assert.Equal(t, string(want[call.name].body), string(got[call.name].body), call.name)
			assert.Equal(t, want[call.name].Header.Get("Content-Type"), got[call.name].Header.Get("Content-Type"), call.name)
		}
	}
}

// base is a transport for one test.
func base(t *testing.T) *http.Transport {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func TestAProgramForASynchronousServiceWorks(t *testing.T) {
	through := client.New(client.WithBase(base(t)))

	t.Run("as with the same handlers without jobs", func(t *testing.T) {
		server := httptest.NewServer(synchronous())
		defer server.Close()
		want := callAll(t, &http.Client{Transport: base(t)}, calls(t, server.URL))
		got := callAsync(t, through, unchanged, ginasync.MaxAttempts(1)) // nor does Gin try again
		sameAnswers(t, want, got, func(c call) bool { return c.own })
	})
	t.Run("as with a service that waits for its jobs itself", func(t *testing.T) {
		waits := func(c *gin.Context) { c.Request.Header.Set("Prefer", "wait=30") }
		want := callAsync(t, base(t), waits)
		got := callAsync(t, through, unchanged)
		sameAnswers(t, want, got, func(call) bool { return false })
		assert.Equal(t, http.StatusOK, got["flaky work"].StatusCode, "it was tried again")
	})
}

func unchanged(*gin.Context) {}

func TestThePrograms(t *testing.T) {
	t.Run("services have the same routes", func(t *testing.T) {
		r := gin.New()
		routes(r)
		assert.ElementsMatch(t, routeNames(synchronous()), routeNames(r))
	})
	t.Run("calls reach every route", func(t *testing.T) {
		for _, route := range routeNames(synchronous()) {
			beginning, _, _ := strings.Cut(strings.TrimPrefix(route, "POST "), ":")
			assert.True(t, slices.ContainsFunc(calls(t, ""), func(c call) bool {
				return strings.HasPrefix(c.req.URL.Path, beginning)
			}), route)
		}
	})
}

func routeNames(r *gin.Engine) (names []string) {
	for _, route := range r.Routes() {
		names = append(names, route.Method+" "+route.Path)
	}
	return names
}
