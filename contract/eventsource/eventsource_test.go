package eventsource_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what has to happen.
const patience = 30 * time.Second

// site is two servers with the same jobs, behind a network that can be cut.
type site struct {
	t     *testing.T
	jobs  *ginasync.Manager
	proxy *proxy
	one   string // addresses of the servers
	other string
	steps chan float64 // each is a progress report; closed: the job ends

	mu  sync.Mutex
	has []string // Last-Event-ID of the requests for events, in order
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, proxy: newProxy(t), steps: make(chan float64)}
	jobs := memstore.New()
	s.jobs, s.one = s.serve(ginasync.WithStore(jobs))
	_, s.other = s.serve(ginasync.WithStore(jobs), ginasync.WithoutWorkers())
	s.proxy.lead(s.one)
	return s
}

// serve starts a server whose URLs lead through the proxy.
func (s *site) serve(opts ...ginasync.Option) (jobs *ginasync.Manager, address string) {
	r := gin.New()
	r.Use(func(c *gin.Context) {
		if strings.HasSuffix(c.FullPath(), "/events") {
			s.mu.Lock()
			s.has = append(s.has, c.GetHeader("Last-Event-ID"))
			s.mu.Unlock()
		}
	})
	r.POST("/steps", ginasync.Async(func(c *gin.Context) {
		for percent := range s.steps {
			_ = ginasync.Progress(c, percent, "a step") // the test sees that it is there
		}
		c.String(http.StatusOK, "done")
	}))
	jobs, err := ginasync.New(r, append(opts, ginasync.WithBaseURL("http://"+s.proxy.Addr().String()),
		ginasync.WithLogger(slog.New(slog.DiscardHandler)))...)
	require.NoError(s.t, err)
	jobs.Routes(r.Group("/jobs"))
	require.NoError(s.t, jobs.Start(s.t.Context()))
	server := httptest.NewServer(r)
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		assert.NoError(s.t, jobs.Shutdown(ctx))
		server.CloseClientConnections()
		server.Close()
	})
	return jobs, server.Listener.Addr().String()
}

func (s *site) submit() ginasync.Status {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post("http://"+s.one+"/steps", "", nil)
	require.NoError(s.t, err)
	defer func() { _ = resp.Body.Close() }()
	var status ginasync.Status
	require.NoError(s.t, json.NewDecoder(resp.Body).Decode(&status))
	return status
}

// step has the job report progress, and waits until it is stored.
func (s *site) step(id string, percent float64) {
	s.t.Helper()
	s.steps <- percent
	s.eventually(id, func(job ginasync.Job) bool { return job.Progress.Percent == percent })
}

func (s *site) end(id string) {
	s.t.Helper()
	close(s.steps)
	s.eventually(id, func(job ginasync.Job) bool { return job.State.Terminal() })
}

func (s *site) eventually(id string, fits func(ginasync.Job) bool) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		job, err := s.jobs.Get(s.t.Context(), id)
		return err == nil && fits(job)
	}, patience, 10*time.Millisecond)
}

// sight is one line that the client prints.
type sight struct {
	Type   string
	ID     string
	Data   ginasync.Status
	Code   int
	Closed bool
}

// client is a program with an EventSource.
type client struct {
	t      *testing.T
	lines  chan sight
	ended  chan error
	ids    []int64
	errors []sight
}

// follow starts a client that runs code.
func follow(t *testing.T, code, url string) *client {
	t.Helper()
	needPackages(t)
	file := filepath.Join(t.TempDir(), "code.js")
	require.NoError(t, os.WriteFile(file, []byte(code), 0o600))
	cmd := exec.CommandContext(t.Context(), "node", "follow.mjs", file, url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &client{t: t, lines: make(chan sight, 1000), ended: make(chan error, 1)}
	go func() {
		scanner := bufio.NewScanner(out)
		for scanner.Scan() {
			var one sight
			if err := json.Unmarshal(scanner.Bytes(), &one); err != nil {
				one = sight{Type: fmt.Sprintf("%q: %v", scanner.Text(), err)}
			}
			c.lines <- one
		}
		close(c.lines)
		c.ended <- cmd.Wait()
	}()
	return c
}

// next returns the next status document, and notes everything on the way to it.
func (c *client) next() ginasync.Status {
	c.t.Helper()
	for {
		select {
		case one, more := <-c.lines:
			require.True(c.t, more, "the client has ended")
			if c.note(one) {
				return one.Data
			}
		case <-time.After(patience):
			require.FailNow(c.t, "no event came")
		}
	}
}

// note reports whether a line is an event.
func (c *client) note(one sight) bool {
	c.t.Helper()
	switch one.Type {
	case "open":
	case "error":
		c.errors = append(c.errors, one)
	case "message":
		id, err := strconv.ParseInt(one.ID, 10, 64)
		require.NoError(c.t, err)
		require.Equal(c.t, one.Data.Version, id)
		c.ids = append(c.ids, id)
		return true
	default:
		require.Fail(c.t, "not understood", one.Type)
	}
	return false
}

// ends waits until the client has nothing left to wait for. It sees no more events.
func (c *client) ends() {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case one, more := <-c.lines:
			if more {
				require.False(c.t, c.note(one), "%+v", one)
				continue
			}
			require.NoError(c.t, <-c.ended)
			return
		case <-deadline:
			require.FailNow(c.t, "the client does not end")
		}
	}
}

func needPackages(t *testing.T) {
	t.Helper()
	_, err := os.Stat("node_modules/eventsource")
	require.NoError(t, err, "the packages are missing: run make contract in the top folder, or npm ci here")
	_, err = exec.LookPath("node")
	require.NoError(t, err, "node is missing: run make contract in the top folder, or install nodejs 18 or newer")
}

// readmeCode is what the README has for browsers.
func readmeCode(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```js\n(const events = new EventSource.*?)```").FindSubmatch(readme)
	require.NotNil(t, block, "the README shows an EventSource")
	return string(block[1])
}

// TestEventSource: a browser's client loses its connection twice and comes to another
// server each time. It sees all that there is to see, once and in order.
func TestEventSource(t *testing.T) {
	for name, code := range map[string]string{
		"with the code of the README, which closes it": readmeCode(t),
		"left open, stays away after the end":          "new EventSource(job.links.events)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of it is waiting to come back
			s := newSite(t)
			job := s.submit()
			s.eventually(job.ID, func(job ginasync.Job) bool { return job.Attempt == 1 })
			c := follow(t, code, job.Links.Events)
			assert.EqualValues(t, "in_progress", c.next().State, "first the job as it is")
			s.step(job.ID, 10)
			assert.InDelta(t, 10, c.next().Progress.Percent, 0, "then each change")

			s.proxy.cut()
			s.step(job.ID, 20)
			s.proxy.lead(s.other)
			assert.InDelta(t, 20, c.next().Progress.Percent, 0, "after a loss what it has missed, and not again what it has")
			s.step(job.ID, 30)
			assert.InDelta(t, 30, c.next().Progress.Percent, 0)

			s.proxy.cut()
			s.end(job.ID)
			s.proxy.lead(s.one)
			last := c.next()
			assert.True(t, last.Done)
			assert.EqualValues(t, "completed", last.State)
			c.ends()

			assert.IsIncreasing(t, c.ids)
			assert.Len(t, c.ids, 5)
			s.checkRequests(c, name)
		})
	}
}

// checkRequests holds what the servers were asked for against what the client had. Those
// that met a cut line never came.
func (s *site) checkRequests(c *client, name string) {
	s.t.Helper()
	want := []string{"", strconv.FormatInt(c.ids[1], 10), strconv.FormatInt(c.ids[3], 10)}
	if strings.HasPrefix(name, "left open") {
		want = append(want, strconv.FormatInt(c.ids[4], 10))
		last := c.errors[len(c.errors)-1]
		assert.True(s.t, last.Closed, "%+v", last)
		assert.Equal(s.t, http.StatusNoContent, last.Code, "%+v", last)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	assert.Equal(s.t, want, s.has)
}
