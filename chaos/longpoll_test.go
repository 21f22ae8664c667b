package chaos_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

const (
	polledJobs = 500
	// newsGoal is how soon nearly all clients hear that their job is over.
	newsGoal = 10 * time.Millisecond
)

// TestLongPollNews: a client polls one process while another runs its job. It has its
// answer soon after the handler has ended: the result is stored in that time, the
// message goes through Redis, and the job is read again.
func TestLongPollNews(t *testing.T) {
	server := redistest.Start(t)
	release := make(chan struct{})
	ends := make(chan time.Time, 1)
	handler := func(c *gin.Context) {
		select {
		case <-release:
		case <-c.Done():
		}
		c.String(http.StatusOK, "done")
		ends <- time.Now()
	}
	routes := func(r *gin.Engine) { r.POST("/x", ginasync.Async(handler)) }
	runs := serveSite(t, server.Addr(), routes)
	shows := serveSite(t, server.Addr(), routes, ginasync.WithoutWorkers())
	took := make([]time.Duration, 0, polledJobs)
	for range polledJobs {
		polled := make(chan ginasync.Status, 1)
		job := ask(t, http.MethodPost, runs+"/x")
		go func() { polled <- ask(t, http.MethodGet, shows+job.Links.Self) }()
		// Nobody can see from outside that the client waits. If it does not yet, its answer
		// is no sooner for that.
		<-time.After(5 * time.Millisecond)
		release <- struct{}{}
		end := <-ends
		status := <-polled
		took = append(took, time.Since(end))
		require.True(t, status.Done)
	}
	slices.Sort(took)
	p50, p99 := quantile(took, 0.5), quantile(took, 0.99)
	t.Logf("from the end of the handler to the answer: p50 %v, p99 %v, at most %v", p50, p99, took[len(took)-1])
	assert.LessOrEqual(t, p99, onThisMachine(t, newsGoal))
}

// serveSite serves over HTTP what one process of a service is, and returns its URL.
func serveSite(t *testing.T, redisAddr string, routes func(*gin.Engine), opts ...ginasync.Option) string {
	t.Helper()
	gin.SetMode(gin.TestMode)
	client := redis.NewClient(&redis.Options{Addr: redisAddr, ContextTimeoutEnabled: true})
	r := gin.New()
	routes(r)
	jobs, err := ginasync.New(r, append(opts, ginasync.WithStore(redisstore.New(client)),
		ginasync.WithLogger(slog.New(slog.DiscardHandler)))...)
	require.NoError(t, err)
	jobs.Routes(r.Group("/jobs"))
	require.NoError(t, jobs.Start(context.WithoutCancel(t.Context())))
	served := httptest.NewServer(r)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		served.Close()
		assert.NoError(t, jobs.Shutdown(context.Background()))
		assert.NoError(t, client.Close())
	})
	return served.URL
}

// ask sends a request, a GET that waits for the job, and returns the status document.
func ask(t *testing.T, method, url string) ginasync.Status {
	t.Helper()
	var status ginasync.Status
	req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if !assert.NoError(t, err) {
		return status
	}
	if method == http.MethodGet {
		req.Header.Set("Prefer", "wait=30")
	}
	resp, err := http.DefaultClient.Do(req)
	if !assert.NoError(t, err) {
		return status
	}
	defer func() { _ = resp.Body.Close() }()
	assert.NoError(t, json.NewDecoder(resp.Body).Decode(&status))
	return status
}
