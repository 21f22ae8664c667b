package chaos_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writtenDown has a server keep all that it writes, for mustHaveWrittenOnce. It does not
// wait for the disk, where others may keep it waiting for longer than a lease.
var writtenDown = []string{"appendonly yes", "appendfsync no", "auto-aof-rewrite-percentage 0"}

// process is a worker process that a test has started.
type process struct {
	name    string
	addr    string
	log     string // the file that has what it wrote
	command *exec.Cmd
	ended   chan struct{} // closed when it has ended and was waited for

	// When it was sent a signal; zero: it was not. They belong to the test's goroutine.
	killed, asked time.Time
}

// fleet is the worker processes of one test, all with the same Redis.
type fleet struct {
	config processConfig
	client *http.Client

	all []*process // in the order of their start; the test's goroutine has them

	mu   sync.Mutex
	live []*process // those that take requests
}

// newFleet prepares a fleet that ends with the test. The name and the directory of the
// configuration are set by the fleet.
func newFleet(t *testing.T, config processConfig) *fleet {
	t.Helper()
	config.Dir = t.TempDir()
	f := &fleet{config: config, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: patience}}
	t.Cleanup(func() {
		f.client.CloseIdleConnections()
		for _, p := range f.all {
			p.signal(t, syscall.SIGKILL)
			<-p.ended
			f.look(t, p)
		}
	})
	return f
}

// look passes on what a process wrote if the test has failed, and fails it for what no
// process may write.
func (f *fleet) look(t *testing.T, p *process) {
	t.Helper()
	text := p.output(t)
	assert.NotContains(t, text, "DATA RACE", "output of "+p.name)
	assert.NotContains(t, text, "panic", "output of "+p.name)
	if t.Failed() {
		t.Logf("%s wrote:\n%s", p.name, text[max(0, len(text)-4096):])
	}
}

// start adds a process and returns when it takes requests.
func (f *fleet) start(t *testing.T) *process {
	t.Helper()
	p := f.launch(t)
	waitFor(t, func() error {
		for _, line := range p.logged(t, "listening") {
			p.addr, _ = line["addr"].(string)
		}
		if p.addr == "" {
			return fmt.Errorf("%s does not listen: %s", p.name, p.output(t))
		}
		return nil
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = append(f.live, p)
	return p
}

// launch adds a process that gets no requests.
func (f *fleet) launch(t *testing.T) *process {
	t.Helper()
	config := f.config
	config.Name = fmt.Sprintf("p%02d", len(f.all)+1)
	p := launchProcess(t, config)
	f.all = append(f.all, p)
	return p
}

func launchProcess(t *testing.T, config processConfig) *process {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	text, err := json.Marshal(config)
	require.NoError(t, err)
	p := &process{
		name: config.Name, log: filepath.Join(config.Dir, config.Name+".log"),
		command: exec.Command(program), ended: make(chan struct{}),
	}
	output, err := os.Create(p.log)
	require.NoError(t, err)
	p.command.Env = append(os.Environ(), processConfigVariable+"="+string(text))
	p.command.Stdout, p.command.Stderr = output, output
	_, err = p.command.StdinPipe() // is closed when this process ends, or that one
	require.NoError(t, err)
	require.NoError(t, p.command.Start())
	require.NoError(t, output.Close(), "the process has its own handle")
	go func() {
		defer close(p.ended)
		_ = p.command.Wait() // the exit code is looked at where it matters
	}()
	return p
}

// retire takes a process out of those that get requests.
func (f *fleet) retire(p *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = slices.DeleteFunc(f.live, func(q *process) bool { return q == p })
}

// kill ends a process as a crash does.
func (f *fleet) kill(t *testing.T, p *process) {
	t.Helper()
	p.killed = time.Now()
	p.signal(t, syscall.SIGKILL)
	f.retire(p)
	<-p.ended
}

// terminate asks a process to end, and asserts that it does so well. It gets requests
// until it is gone.
func (f *fleet) terminate(t *testing.T, p *process) {
	t.Helper()
	p.asked = time.Now()
	p.signal(t, syscall.SIGTERM)
	p.awaitEnd(t)
	f.retire(p)
	require.Zero(t, p.command.ProcessState.ExitCode(), "%s: %s", p.name, p.output(t))
}

func (p *process) awaitEnd(t *testing.T) {
	t.Helper()
	waitFor(t, func() error {
		select {
		case <-p.ended:
			return nil
		default:
			return fmt.Errorf("%s has not ended: %s", p.name, p.output(t))
		}
	})
}

// signal sends a signal to a process, which may have ended.
func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		require.ErrorIs(t, err, os.ErrProcessDone)
	}
}

// output is what the process wrote, its log and the words of the race detector.
func (p *process) output(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.log)
	require.NoError(t, err)
	return string(text)
}

// logged returns the lines of the log that have a message.
func (p *process) logged(t *testing.T, message string) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for text := range strings.Lines(p.output(t)) {
		var line map[string]any
		if json.Unmarshal([]byte(text), &line) == nil && line["msg"] == message {
			lines = append(lines, line)
		}
	}
	return lines
}

// awaitTime waits for a time.
func awaitTime(t *testing.T, at time.Time) {
	t.Helper()
	waitFor(t, func() error {
		if time.Now().Before(at) {
			return errors.New("not yet")
		}
		return nil
	})
}
