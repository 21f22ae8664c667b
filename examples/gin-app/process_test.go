package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func itoa(n int) string { return strconv.Itoa(n) }

// post is a POST request without a body.
func post(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, http.NoBody)
	require.NoError(t, err)
	return req
}

// buildApp compiles the program and returns its path.
func buildApp(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gin-app")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

// app is a running program and what it has logged so far.
type app struct {
	url    string
	cmd    *exec.Cmd
	client *http.Client
	exited chan struct{} // closed when the process is over and its log is read

	mu  sync.Mutex
	log []string
}

var listening = regexp.MustCompile(`listening addr=(\S+)`)

// startApp runs the program on a free port, kills it when the test ends, and
// returns once it listens.
func startApp(t *testing.T, binary string, args ...string) *app {
	t.Helper()
	a := &app{
		cmd:    exec.CommandContext(t.Context(), binary, append([]string{"-addr", "127.0.0.1:0"}, args...)...),
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
		exited: make(chan struct{}),
	}
	stderr, err := a.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, a.cmd.Start())
	t.Cleanup(func() {
		_ = a.cmd.Process.Kill() // fails when it is over already
		<-a.exited
	})
	addr := make(chan string, 1)
	go a.follow(stderr, addr)
	select {
	case a.url = <-addr:
	case <-a.exited:
		t.Fatalf("the program ended: %s", a.logged())
	case <-time.After(20 * time.Second):
		t.Fatalf("the program does not listen: %s", a.logged())
	}
	return a
}

// follow keeps what the program logs, tells its URL, and waits for its end.
func (a *app) follow(stderr io.Reader, url chan<- string) {
	defer close(a.exited)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		a.mu.Lock()
		a.log = append(a.log, lines.Text())
		a.mu.Unlock()
		if match := listening.FindStringSubmatch(lines.Text()); match != nil {
			url <- "http://" + match[1]
		}
	}
	_ = a.cmd.Wait() // the exit code is in ProcessState
}

func (a *app) logged() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.log, "\n")
}

// terminate sends SIGTERM and returns the exit code, which has to come in time.
func (a *app) terminate(t *testing.T, within time.Duration) int {
	t.Helper()
	require.NoError(t, a.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-a.exited:
	case <-time.After(within):
		t.Fatalf("the program runs on after SIGTERM: %s", a.logged())
	}
	return a.cmd.ProcessState.ExitCode()
}

// kill ends the process as a crash does and waits for its end.
func (a *app) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, a.cmd.Process.Kill())
	<-a.exited
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body []byte
}

func (a *app) send(t *testing.T, req *http.Request) answer {
	t.Helper()
	resp, err := a.client.Do(req)
	require.NoError(t, err, a.logged())
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp, body}
}

func (a *app) get(t *testing.T, path string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url+path, http.NoBody)
	require.NoError(t, err)
	return a.send(t, req)
}

// submit sends a request that becomes a job and returns the path of its status.
func (a *app) submit(t *testing.T, req *http.Request) string {
	t.Helper()
	accepted := a.send(t, req)
	require.Equal(t, http.StatusAccepted, accepted.StatusCode, "%s", accepted.body)
	location := accepted.Header.Get("Location")
	require.Regexp(t, `^/jobs/[a-z2-7]+$`, location)
	return location
}

// job is what the tests read of a status document.
type job struct {
	State    string `json:"state"`
	Version  int64  `json:"version"`
	Attempt  int    `json:"attempt"`
	Progress struct {
		Percent float64 `json:"percent"`
	} `json:"progress"`
	Error struct {
		Type  string `json:"type"`
		Title string `json:"title"`
	} `json:"error"`
}

func (a *app) status(t *testing.T, path string) job {
	t.Helper()
	answer := a.get(t, path)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s", answer.body)
	var j job
	require.NoError(t, json.Unmarshal(answer.body, &j))
	return j
}

// await asks for the status until it is as wanted.
func (a *app) await(t *testing.T, path string, within time.Duration, wanted func(job) bool) job {
	t.Helper()
	var last job
	for deadline := time.Now().Add(within); time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
		if last = a.status(t, path); wanted(last) {
			return last
		}
	}
	t.Fatalf("%s after %v: %+v\n%s", path, within, last, a.logged())
	return last
}

func inState(state string) func(job) bool {
	return func(j job) bool { return j.State == state }
}

// isUnderWay tells that a handler runs and has reported progress.
func isUnderWay(j job) bool { return j.State == "in_progress" && j.Progress.Percent > 0 }
