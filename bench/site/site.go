package site

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Site is a child process, seen from the parent. Its methods are safe for concurrent use.
// One call of it takes until it is done or ctx is.
type Site struct {
	name   string
	cmd    *exec.Cmd
	client *rpc.Client
	output *tail
	ended  chan struct{}
}

// Start runs this program as a site and lets it make a contestant; with an empty kind it
// has none and can only make HTTP requests. Kill it.
func Start(ctx context.Context, setup Setup) (*Site, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	conn, its, err := socketPair()
	if err != nil {
		return nil, err
	}
	s := &Site{name: cmp.Or(string(setup.Kind), "HTTP client"), output: &tail{}, ended: make(chan struct{})}
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), program)
	s.cmd.Env = append(os.Environ(), childMark+"=1")
	s.cmd.ExtraFiles = []*os.File{its}
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	if err := errors.Join(s.cmd.Start(), its.Close()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go func() {
		_ = s.cmd.Wait() // it is killed in the end: how it ended says nothing
		close(s.ended)
	}()
	s.client = rpc.NewClient(conn)
	if setup.Kind == "" {
		return s, nil
	}
	if err := s.call(ctx, "Open", setup, &None{}); err != nil {
		s.Kill()
		return nil, err
	}
	return s, nil
}

// socketPair returns the two ends of a connection: ours, and the one to give to a child.
func socketPair() (ours net.Conn, its *os.File, err error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, err
	}
	for _, end := range pair {
		syscall.CloseOnExec(end)
	}
	file, its := os.NewFile(uintptr(pair[0]), "site"), os.NewFile(uintptr(pair[1]), "parent")
	ours, err = net.FileConn(file) // a copy
	err = errors.Join(err, file.Close())
	if err != nil {
		return nil, nil, errors.Join(err, its.Close())
	}
	return ours, its, nil
}

// Kill ends the process by SIGKILL and waits for it.
func (s *Site) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
	_ = s.client.Close()
}

// call calls a method of Service.
func (s *Site) call(ctx context.Context, method string, args, reply any) error {
	pending := s.client.Go(serviceName+"."+method, args, reply, make(chan *rpc.Call, 1))
	select {
	case <-pending.Done:
		if pending.Error != nil {
			return fmt.Errorf("%s, %s: %w%s", s.name, method, pending.Error, s.output.text())
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s, %s: %w%s", s.name, method, ctx.Err(), s.output.text())
	}
}

// Submit hands in jobs and returns the ids of the first ones.
func (s *Site) Submit(ctx context.Context, want Submission) (ids []string, err error) {
	err = s.call(ctx, "Submit", want, &ids)
	return ids, err
}

// Pump begins to hand in jobs without end.
func (s *Site) Pump(ctx context.Context, want Pumping) error {
	return s.call(ctx, "Pump", want, &None{})
}

// Halt ends Pump.
func (s *Site) Halt(ctx context.Context) error { return s.call(ctx, "Halt", None{}, &None{}) }

// Trickle hands in jobs with pauses.
func (s *Site) Trickle(ctx context.Context, want Trickle) error {
	return s.call(ctx, "Trickle", want, &None{})
}

// Open lets gated jobs go on.
func (s *Site) Open(ctx context.Context) error { return s.call(ctx, "Gate", None{}, &None{}) }

// Usage tells what was used and done.
func (s *Site) Usage(ctx context.Context) (usage Usage, err error) {
	err = s.call(ctx, "Usage", None{}, &usage)
	return usage, err
}

// Heap returns the bytes that live on the heap.
func (s *Site) Heap(ctx context.Context) (size int64, err error) {
	err = s.call(ctx, "Heap", None{}, &size)
	return size, err
}

// Stamps returns what was noted of the jobs, by serial number.
func (s *Site) Stamps(ctx context.Context) (all map[int64]Stamp, err error) {
	err = s.call(ctx, "Stamps", None{}, &all)
	return all, err
}

// Serve begins to serve the contestant over HTTP.
func (s *Site) Serve(ctx context.Context) (addr string, err error) {
	err = s.call(ctx, "Serve", None{}, &addr)
	return addr, err
}

// Load sends requests.
func (s *Site) Load(ctx context.Context, want Load) (done Loaded, err error) {
	err = s.call(ctx, "Load", want, &done)
	return done, err
}

// Await returns when enough says so of the usage.
func (s *Site) Await(ctx context.Context, enough func(Usage) bool) error {
	for {
		usage, err := s.Usage(ctx)
		if err != nil || enough(usage) {
			return err
		}
		if err := rest(ctx, 2*time.Millisecond); err != nil {
			return fmt.Errorf("%s has submitted %d, started %d and kept %d jobs: %w%s",
				s.name, usage.Submitted, usage.Started, usage.Kept, err, s.output.text())
		}
	}
}

// tail keeps the last of what a child says.
type tail struct {
	mu   sync.Mutex
	last []byte
}

const tailSize = 2000

func (t *tail) Write(data []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, data...)
	t.last = t.last[max(0, len(t.last)-tailSize):]
	return len(data), nil
}

// text is what to add to an error.
func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if said := bytes.TrimSpace(t.last); len(said) > 0 {
		return "\nit said: " + string(said)
	}
	return ""
}
