package checklist_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// settingsVariable is set in the environment of the processes that the tests start.
const settingsVariable = "GINASYNC_CHECKLIST_PROCESS"

// process is one that serves the site: this one or another.
type process struct {
	url string
	// log is what it wrote so far.
	log func() string
	// stop asks it to end.
	stop func()
	// ended yields once how it has ended.
	ended <-chan error
}

// endWell stops the process and asserts that it ends in order.
func (p *process) endWell(t *testing.T) {
	t.Helper()
	p.stop()
	select {
	case err := <-p.ended:
		assert.NoError(t, err)
	case <-after(patience):
		assert.Fail(t, "the process does not end", p.log())
	}
}

// runProcess is the life of such a process. It returns the exit code.
func runProcess(text string) int {
	go func() { // the tests hold the other end: it ends with them
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	if err := serveProcess(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serveProcess(text string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var s settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	client := redis.NewClient(&redis.Options{Addr: s.Redis, ContextTimeoutEnabled: true})
	defer func() { err = errors.Join(err, client.Close()) }()
	v, err := openService(s, redisstore.New(client), slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	if err != nil {
		return err
	}
	return v.serve(ctx, listener)
}

// startProcess starts a process and returns when its address takes connections. The
// process ends with the test at the latest.
func startProcess(t *testing.T, s settings) *process {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	text, err := json.Marshal(s)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	file, err := listener.(*net.TCPListener).File() // which the process gets
	require.NoError(t, err)
	output, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)

	command := exec.Command(program)
	// A proxy of the environment must not carry what the service sends.
	command.Env = append(os.Environ(), settingsVariable+"="+string(text), "HTTP_PROXY=http://"+s.Inner, "HTTPS_PROXY=http://"+s.Inner,
		"GORACE=atexit_sleep_ms=0") // else the race detector holds up each end for a second
	command.Stdout, command.Stderr, command.ExtraFiles = output, output, []*os.File{file}
	_, err = command.StdinPipe() // is closed when this process ends, or that one
	require.NoError(t, err)
	require.NoError(t, command.Start())
	require.NoError(t, errors.Join(output.Close(), file.Close(), listener.Close()), "the process has its own")

	ended, waited := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(waited)
		ended <- command.Wait()
	}()
	p := &process{
		url: "http://" + listener.Addr().String(), ended: ended,
		log: func() string {
			text, err := os.ReadFile(output.Name())
			assert.NoError(t, err)
			return string(text)
		},
		// It may have ended. A second signal would end it at once.
		stop: sync.OnceFunc(func() { _ = command.Process.Signal(syscall.SIGTERM) }),
	}
	t.Cleanup(func() {
		select {
		case <-waited:
		default:
			p.endWell(t)
		}
		_ = command.Process.Kill()
		<-waited
		assert.NotContains(t, p.log(), "DATA RACE")
		if t.Failed() {
			t.Logf("a process wrote:\n%s", p.log())
		}
	})
	return p
}
