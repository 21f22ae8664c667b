package redisserver

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// startLimit is how long a server may take until it answers.
const startLimit = 10 * time.Second

// Server is a redis-server that runs as a child process.
type Server struct {
	addr    string
	dir     string
	process *process
	client  *redis.Client
}

// Start runs the redis-server at $REDIS_SERVER, or in PATH, with nothing on disk and no eviction, and returns
// when it answers. Call Stop.
func Start(ctx context.Context) (*Server, error) {
	program, err := exec.LookPath(cmp.Or(os.Getenv("REDIS_SERVER"), "redis-server"))
	if err != nil {
		return nil, fmt.Errorf("redis-server is neither in PATH nor at $REDIS_SERVER: apt-get install redis-server (Debian, Ubuntu), "+
			"dnf install redis (Fedora) or brew install redis (macOS): %w", err)
	}
	// Another process may take the port between the look and the start.
	var errs []error
	for range 5 {
		s, err := start(ctx, program)
		if err == nil {
			return s, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func start(ctx context.Context, program string) (*Server, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "gin-async-bench-")
	if err != nil {
		return nil, err
	}
	s := &Server{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), dir: dir}
	s.process, err = launch(ctx, program, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir,
		"--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction",
		"--logfile", filepath.Join(dir, "log"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.client = redis.NewClient(&redis.Options{Addr: s.addr, PoolSize: 1})
	if err := s.awaitAnswer(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// awaitAnswer returns when the server that answers is ours.
func (s *Server) awaitAnswer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		info, err := s.info(ctx, "server")
		if err == nil && info["process_id"] == strconv.Itoa(s.process.pid()) {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.process.ended:
			return fmt.Errorf("redis-server ended: %s", s.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("redis-server does not answer at %s: %w", s.addr, errors.Join(err, ctx.Err()))
		}
	}
}

func (s *Server) lastWords() []byte {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return []byte(err.Error())
	}
	return bytes.TrimSpace(text[max(0, len(text)-2000):])
}

// Addr returns host:port.
func (s *Server) Addr() string { return s.addr }

// Flush removes all keys.
func (s *Server) Flush(ctx context.Context) error { return s.client.FlushAll(ctx).Err() }

// Stop ends the server and removes its files.
func (s *Server) Stop() error {
	err := s.client.Close()
	s.process.kill()
	return errors.Join(err, os.RemoveAll(s.dir))
}

func freePort(ctx context.Context) (int, error) {
	var listen net.ListenConfig
	probe, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := probe.Addr().(*net.TCPAddr).Port
	return port, probe.Close()
}
