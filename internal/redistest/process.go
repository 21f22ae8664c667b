package redistest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// howToInstall ends the line that a test without redis-server fails with.
const howToInstall = `"make redis" installs it, as do: apt-get install redis-server (Debian, Ubuntu), ` +
	`dnf install redis (Fedora), apk add redis (Alpine), brew install redis (macOS)`

// findProgram returns the path of redis-server.
func findProgram() (string, error) {
	if named := os.Getenv("REDIS_SERVER"); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("no redis-server at $REDIS_SERVER: %w; %s", err, howToInstall)
		}
		return path, nil
	}
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", fmt.Errorf("no redis-server in PATH; %s", howToInstall)
	}
	return path, nil
}

// process is a child that was started. It is safe for concurrent use.
type process struct {
	child *os.Process
	ended chan struct{} // closed when it has ended and was waited for
}

// outputName is the file in its directory that has what a process writes.
const outputName = "output"

// launch starts a program in a directory. Where the system allows, the child is killed
// when this process ends without having stopped it.
func launch(ctx context.Context, program, dir string, args ...string) (*process, error) {
	output, err := os.Create(filepath.Join(dir, outputName))
	if err != nil {
		return nil, err
	}
	defer output.Close() //nolint:errcheck // the child has its own handle
	// The end of the test does not kill it: its cleanups may still need it.
	command := exec.CommandContext(context.WithoutCancel(ctx), program, args...)
	command.Dir = dir
	command.Stdout, command.Stderr = output, output
	command.SysProcAttr = dieWithThread()

	p := &process{ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux kills the child when the thread that started it ends, so that
		// thread stays with this goroutine until the child is no more.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.ended)
		err := command.Start()
		p.child = command.Process
		started <- err
		if err == nil {
			_ = command.Wait() // that it was killed is no news
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) signal(s os.Signal) error {
	err := p.child.Signal(s)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// kill ends the process, a stopped one too, and waits for it.
func (p *process) kill() error {
	err := p.signal(syscall.SIGKILL)
	if err == nil {
		<-p.ended
	}
	return err
}

// terminate asks the process to end and waits for it, for as long as the limit allows.
func (p *process) terminate(limit time.Duration) error {
	if err := errors.Join(p.signal(syscall.SIGTERM), p.signal(syscall.SIGCONT)); err != nil {
		return err
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.ended:
		return nil
	case <-timer.C:
		return errors.Join(fmt.Errorf("still running %v after SIGTERM, killed", limit), p.kill())
	}
}

// pause stops the process and waits until it runs no more.
func (p *process) pause() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !isStopped(p.child.Pid) {
		select {
		case <-p.ended:
			return nil
		case <-tick.C:
		}
	}
	return nil
}

func (p *process) resume() error { return p.signal(syscall.SIGCONT) }

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}
