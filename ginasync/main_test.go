package ginasync_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
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

// app is an engine with a started Manager behind a real HTTP server.
type app struct {
	t      *testing.T
	jobs   *ginasync.Manager
	store  store.Store
	url    string
	client *http.Client
}

// newApp starts an application: routes registers its routes, opts come after those
// that the tests need. Everything is stopped when the test ends.
func newApp(t *testing.T, routes func(r *gin.Engine), opts ...ginasync.Option) *app {
	t.Helper()
	r := gin.New()
	routes(r)
	return startApp(t, r, memstore.New(), opts...)
}

// startApp starts a Manager for an engine on a store.
func startApp(t *testing.T, r *gin.Engine, s store.Store, opts ...ginasync.Option) *app {
	t.Helper()
	jobs, err := ginasync.New(r, append([]ginasync.Option{
		ginasync.WithStore(s),
		ginasync.WithLogger(slog.New(slog.DiscardHandler)),
	}, opts...)...)
	require.NoError(t, err)
	jobs.Routes(r.Group("/jobs"))
	require.NoError(t, jobs.Start(t.Context()))
	server := httptest.NewServer(r)
	a := &app{t: t, jobs: jobs, store: s, url: server.URL, client: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(func() {
		a.client.CloseIdleConnections()
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, jobs.Shutdown(ctx))
	})
	return a
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) status(t *testing.T) ginasync.Status {
	t.Helper()
	var s ginasync.Status
	require.NoError(t, json.Unmarshal(a.body, &s), "body: %s", a.body)
	return s
}

func (a answer) problem(t *testing.T) ginasync.Problem {
	t.Helper()
	var p ginasync.Problem
	require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"), "body: %s", a.body)
	require.NoError(t, json.Unmarshal(a.body, &p), "body: %s", a.body)
	require.Equal(t, a.StatusCode, p.Status)
	require.NotEmpty(t, a.Header.Get("Cache-Control"), "every error says that it must not be cached")
	return p
}

// do sends a request; header holds names and values in turn.
func (a *app) do(method, path string, body io.Reader, header ...string) answer {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, body)
	require.NoError(a.t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return a.send(req)
}

func (a *app) send(req *http.Request) answer {
	a.t.Helper()
	resp, err := a.client.Do(req)
	require.NoError(a.t, err)
	defer func() { require.NoError(a.t, resp.Body.Close()) }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(a.t, err)
	return answer{resp, data}
}

func (a *app) get(path string, header ...string) answer {
	a.t.Helper()
	return a.do(http.MethodGet, path, nil, header...)
}

func (a *app) post(path, body string, header ...string) answer {
	a.t.Helper()
	return a.do(http.MethodPost, path, strings.NewReader(body), header...)
}

func (a *app) postJSON(path, body string) answer {
	a.t.Helper()
	return a.post(path, body, "Content-Type", "application/json")
}

// submit posts to an async route and returns the id of the job.
func (a *app) submit(path, body string, header ...string) string {
	a.t.Helper()
	got := a.post(path, body, header...)
	require.Equal(a.t, http.StatusAccepted, got.StatusCode, "body: %s", got.body)
	return got.status(a.t).ID
}

// await waits until the job fits, woken by the store's own watch.
func (a *app) await(id string, fits func(store.Job) bool) store.Job {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	changes, err := a.store.Watch(ctx, id)
	require.NoError(a.t, err)
	for {
		job, err := a.store.Get(ctx, id)
		require.NoError(a.t, err)
		if fits(job) {
			return job
		}
		select {
		case <-changes:
		case <-ctx.Done():
			require.FailNow(a.t, "the job did not get there", "%+v", job)
		}
	}
}

func (a *app) awaitState(id string, state store.State) store.Job {
	a.t.Helper()
	return a.await(id, func(j store.Job) bool { return j.State == state })
}

// finish waits until the job is over.
func (a *app) finish(id string) store.Job {
	a.t.Helper()
	return a.await(id, func(j store.Job) bool { return j.State.Terminal() })
}

// run submits, waits and fetches the result.
func (a *app) run(path, body string, header ...string) answer {
	a.t.Helper()
	id := a.submit(path, body, header...)
	a.finish(id)
	return a.get("/jobs/" + id + "/result")
}

// text is a handler that answers 200 with a text.
func text(s string) gin.HandlerFunc {
	return func(c *gin.Context) { c.String(http.StatusOK, s) }
}

// readTestFile reads a file of the repository.
func readTestFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
}
