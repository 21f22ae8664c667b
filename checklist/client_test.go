package checklist_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
)

// caller is a client of one of the processes.
type caller struct {
	t         *testing.T
	site      *site
	url, user string
}

// clients are one of the process that accepts the check's jobs and one of the process
// that is asked about them. They are the same user, who is nobody else's.
func (s *site) clients(t *testing.T) (here, there caller) {
	user := path.Base(t.Name())
	return caller{t, s, s.accepts.url, user}, caller{t, s, s.shows.url, user}
}

func (c caller) as(user string) caller {
	c.user = user
	return c
}

// answer is a response that was read.
type answer struct {
	*http.Response
	body string
}

func (c caller) request(ctx context.Context, method, target, body string, header ...string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, method, c.url+target, strings.NewReader(body))
	require.NoError(c.t, err)
	if c.user != "" {
		req.Header.Set("User", c.user)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return req
}

// send may be called from any goroutine.
func (c caller) send(req *http.Request) (answer, error) {
	resp, err := c.site.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp, string(body)}, err
}

func (c caller) do(method, target, body string, header ...string) answer {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*patience)
	defer cancel()
	got, err := c.send(c.request(ctx, method, target, body, header...))
	require.NoError(c.t, err, "%s %s", method, target)
	return got
}

func (c caller) get(target string, header ...string) answer {
	c.t.Helper()
	return c.do(http.MethodGet, target, "", header...)
}

func (c caller) post(target string, header ...string) answer {
	c.t.Helper()
	return c.do(http.MethodPost, target, "", header...)
}

// later is the answer to a request that goes on in the background until ctx is done.
type later struct {
	answer
	err  error
	took time.Duration
}

func (c caller) begin(ctx context.Context, method, target string, header ...string) chan later {
	req := c.request(ctx, method, target, "", header...)
	got := make(chan later, 1)
	go func() {
		began := time.Now()
		a, err := c.send(req)
		got <- later{a, err, time.Since(began)}
	}()
	return got
}

// received waits for the answer to a request in the background.
func received(t *testing.T, from <-chan later) later {
	t.Helper()
	select {
	case got := <-from:
		require.NoError(t, got.err)
		return got
	case <-after(2 * patience):
		require.Fail(t, "no answer came")
		return later{}
	}
}

func (a answer) status(t *testing.T) ginasync.Status {
	t.Helper()
	var status ginasync.Status
	require.NoError(t, json.Unmarshal([]byte(a.body), &status), a.body)
	require.NotEmpty(t, status.ID, a.body)
	return status
}

// isProblem asserts that the answer is an error of the library's own.
func (a answer) isProblem(t *testing.T, status int, suffix string) {
	t.Helper()
	var problem ginasync.Problem
	require.Equal(t, status, a.StatusCode, a.body)
	assert.Equal(t, "application/problem+json", a.Header.Get("Content-Type"))
	require.NoError(t, json.Unmarshal([]byte(a.body), &problem), a.body)
	assert.True(t, strings.HasSuffix(problem.Type, "#"+suffix), problem.Type)
	assert.Equal(t, status, problem.Status)
	assert.NotContains(t, a.Header, "Asyncresult")
}

// wire is the answer as it was sent, but for its date.
func (a answer) wire(t *testing.T) string {
	t.Helper()
	a.Header.Del("Date")
	head, err := httputil.DumpResponse(a.Response, false)
	require.NoError(t, err)
	return string(head) + a.body
}

// submit sends a request that is accepted, and returns the id of its job.
func (c caller) submit(target string, header ...string) string {
	c.t.Helper()
	got := c.post(target, header...)
	require.Equal(c.t, http.StatusAccepted, got.StatusCode, got.body)
	return got.status(c.t).ID
}

// gate is a new name for a gate, and what a job has to be told by it.
func (c caller) gate() (query string, words chan<- string) {
	name := c.user + store.NewID('g')
	return "?gate=" + url.QueryEscape(name), c.site.gates.of(name)
}

// hold submits a job to a route whose handler does what it is told.
func (c caller) hold(route string) heldJob {
	c.t.Helper()
	query, words := c.gate()
	return heldJob{c.submit(route + query), words}
}

// await asks about a job until it is over.
func (c caller) await(id string) ginasync.Status {
	c.t.Helper()
	for deadline := time.Now().Add(2 * patience); time.Now().Before(deadline); {
		if got := c.get("/jobs/"+id, "Prefer", "wait=5").status(c.t); got.Done {
			return got
		}
	}
	require.Fail(c.t, "the job is not over")
	return ginasync.Status{}
}

// finished submits a job, awaits its end there, and returns its id.
func (c caller) finished(there caller, target string, header ...string) string {
	c.t.Helper()
	id := c.submit(target, header...)
	there.await(id)
	return id
}

// list returns the jobs of the user.
func (c caller) list() []ginasync.Status {
	c.t.Helper()
	var page struct{ Jobs []ginasync.Status }
	got := c.get("/jobs")
	require.Equal(c.t, http.StatusOK, got.StatusCode, got.body)
	require.NoError(c.t, json.Unmarshal([]byte(got.body), &page))
	return page.Jobs
}

// only waits until the user has a job, and returns its id.
func (c caller) only() string {
	c.t.Helper()
	var jobs []ginasync.Status
	finds(c.t, "the user has a job", func() bool { jobs = c.list(); return len(jobs) > 0 })
	require.Len(c.t, jobs, 1)
	return jobs[0].ID
}

// question is what can be asked of a job.
type question struct {
	method, path string // the path behind the id
	header       []string
}

func (q question) String() string { return fmt.Sprint(q.method, " /jobs/:id", q.path, " ", q.header) }

func (c caller) ask(q question, id string) answer {
	c.t.Helper()
	return c.do(q.method, "/jobs/"+id+q.path, "", q.header...)
}

// questions are all there are, waits and streams included.
func questions() []question {
	return []question{
		{http.MethodGet, "", nil},
		{http.MethodHead, "", nil},
		{http.MethodGet, "", []string{"If-None-Match", "*"}},
		{http.MethodGet, "", []string{"Prefer", "wait=1"}},
		{http.MethodGet, "/result", nil},
		{http.MethodGet, "/result?envelope=1", nil},
		{http.MethodGet, "/result", []string{"Prefer", "wait=1"}},
		{http.MethodGet, "/events", nil},
		{http.MethodGet, "/events", []string{"Last-Event-ID", "99"}},
		{http.MethodPost, "/cancel", nil},
		{http.MethodPost, "/retry", nil},
		{http.MethodDelete, "", nil},
	}
}
