package client_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/ginasync/client"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what has to happen.
const patience = 20 * time.Second

// service is a started Manager behind a real HTTP server.
type service struct {
	t     *testing.T
	url   string
	jobs  *ginasync.Manager
	store store.Store
	seen  chan *http.Request // what the server was sent, the newest last
}

// newService starts one; guard is the middleware of the status routes.
func newService(t *testing.T, routes func(r *gin.Engine), guard ...gin.HandlerFunc) *service {
	t.Helper()
	s := &service{t: t, store: memstore.New(), seen: make(chan *http.Request, 1000)}
	r := gin.New()
	r.Use(func(c *gin.Context) { s.seen <- c.Request.Clone(c.Request.Context()) })
	routes(r)
	jobs, err := ginasync.New(r, ginasync.WithStore(s.store), ginasync.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	jobs.Routes(r.Group("/jobs", guard...))
	require.NoError(t, jobs.Start(t.Context()))
	server := httptest.NewServer(r)
	s.jobs, s.url = jobs, server.URL
	t.Cleanup(func() {
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, jobs.Shutdown(ctx))
	})
	return s
}

// requests lists what was sent since the last call, as "METHOD path".
func (s *service) requests() (list []string) {
	for {
		select {
		case r := <-s.seen:
			list = append(list, r.Method+" "+r.URL.Path)
		default:
			return list
		}
	}
}

// awaitPoll waits until the server has been sent a poll.
func (s *service) awaitPoll() {
	s.t.Helper()
	for limit := time.After(patience); ; {
		select {
		case r := <-s.seen:
			if r.Method == http.MethodGet {
				return
			}
		case <-limit:
			require.FailNow(s.t, "nobody polls")
		}
	}
}

// newClient returns a client whose transport is the one under test.
func newClient(t *testing.T, opts ...client.Option) *http.Client {
	t.Helper()
	c := &http.Client{Transport: client.New(append([]client.Option{client.WithBase(&http.Transport{})}, opts...)...)}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body string
}

// do sends a request and reads the response.
func do(t *testing.T, c *http.Client, req *http.Request) answer {
	t.Helper()
	resp, err := c.Do(req)
	require.NoError(t, err)
	return read(t, resp)
}

func read(t *testing.T, resp *http.Response) answer {
	t.Helper()
	defer func() { require.NoError(t, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp, string(body)}
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	return req
}

func (s *service) post(c *http.Client, path, body string) answer {
	s.t.Helper()
	return do(s.t, c, request(s.t, http.MethodPost, s.url+path, body))
}

// await waits until a job is in a state.
func (s *service) await(id string, state store.State) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		job, err := s.store.Get(s.t.Context(), id)
		require.NoError(s.t, err)
		return job.State == state
	}, patience, time.Millisecond, "the job is never %s", state)
}

// held is a handler that tells the id of its job and then waits to be told to answer, or
// until its context is done.
type held struct {
	started chan string
	release chan struct{}
}

func newHeld() *held { return &held{make(chan string, 10), make(chan struct{})} }

func (h *held) handle(c *gin.Context) {
	attempt, _ := ginasync.FromContext(c.Request.Context())
	h.started <- attempt.ID
	select {
	case <-h.release:
		c.String(http.StatusOK, "released at attempt %d", attempt.Number)
	case <-c.Request.Context().Done():
	}
}

// background sends a request, whose outcome comes later.
func background(c *http.Client, req *http.Request) <-chan outcome {
	outcomes := make(chan outcome, 1)
	go func() {
		resp, err := c.Do(req)
		outcomes <- outcome{resp, err}
	}()
	return outcomes
}

type outcome struct {
	resp *http.Response
	err  error
}
