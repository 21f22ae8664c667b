package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// stopLimit is longer than the 10 s for which Redis waits for its replicas.
const stopLimit = 20 * time.Second

// Server is a redis-server that runs as a child process. Its methods are safe for
// concurrent use, but for Restart, which nothing may overlap.
type Server struct {
	t       testing.TB
	program string
	dir     string
	mode    mode
	config  []string
	port    *port
	known   bool // others may know the port: it stays

	mu      sync.Mutex
	process *process
}

// mode is what a redis-server is started as.
type mode int

const (
	standalone mode = iota
	clusterNode
	sentinel
)

// Start runs a server until t ends and returns when it answers. Without config it keeps
// nothing on disk and evicts nothing. Each element of config is a line of redis.conf and
// wins over that: "appendonly yes", "appendfsync always". After "requirepass" the clients
// of the server know the password.
func Start(t testing.TB, config ...string) *Server {
	t.Helper()
	s := prepare(t, standalone, config...)
	s.run(t)
	s.awaitReady(t)
	return s
}

// Shared returns the address of a server for a test that needs nothing of it but keys of
// its own, and that finds there those of others: the one at $REDIS_ADDR (host:port) if
// that is set, or else a new one that ends with t.
func Shared(t testing.TB) string {
	t.Helper()
	addr := os.Getenv("REDIS_ADDR")
	if addr == "" {
		return Start(t).Addr()
	}
	if _, err := askInfo(t.Context(), addr, ""); err != nil {
		t.Fatalf("redistest: no Redis answers at $REDIS_ADDR: %v; unset it, and the tests start their own", err)
	}
	return addr
}

// prepare makes what a server needs in order to run, and has all of it end with t.
func prepare(t testing.TB, mode mode, config ...string) *Server {
	t.Helper()
	program, err := findProgram()
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	s := &Server{t: t, program: program, dir: t.TempDir(), mode: mode, config: config}
	s.takePort(t)
	t.Cleanup(func() {
		s.Kill()
		if err := s.port.release(); err != nil {
			t.Errorf("redistest: %v", err)
		}
	})
	return s
}

// takePort reserves a port and writes the configuration, which has its number.
func (s *Server) takePort(t testing.TB) {
	t.Helper()
	taken, err := reservePort(t.Context(), s.mode == clusterNode)
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	s.port = taken
	if err := s.writeConfig(); err != nil {
		t.Fatalf("redistest: %v", err)
	}
}

func (s *Server) writeConfig() error {
	lines := []string{"bind 127.0.0.1", "port " + strconv.Itoa(s.port.number)}
	if s.mode != sentinel {
		lines = append(lines, `save ""`, "appendonly no", "maxmemory-policy noeviction")
	}
	lines = append(lines, s.config...)
	return os.WriteFile(s.configFile(), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// run starts the process and does not wait until it answers.
func (s *Server) run(t testing.TB) {
	t.Helper()
	args := []string{s.configFile()}
	if s.mode == sentinel {
		args = append(args, "--sentinel")
	}
	started, err := launch(t.Context(), s.program, s.dir, args...)
	if err != nil {
		t.Fatalf("redistest: start %s: %v; %s", s.program, err, howToInstall)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process = started
}

func (s *Server) configFile() string { return filepath.Join(s.dir, "redis.conf") }

// Addr returns host:port. It stays the same when the server is restarted.
func (s *Server) Addr() string { return address(s.port.number) }

// Dir returns the directory in which the server runs and writes its files.
func (s *Server) Dir() string { return s.dir }

// Client returns a client of the server that is closed when t ends. It respects the
// deadlines of contexts and is otherwise what a user makes.
func (s *Server) Client(t testing.TB) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{
		Addr:                  s.Addr(),
		Password:              s.password(),
		ContextTimeoutEnabled: true,
	})
	closeWith(t, client)
	return client
}

func (s *Server) password() string {
	var password string
	for _, line := range s.config {
		if value, ok := strings.CutPrefix(line, "requirepass "); ok {
			password = strings.Trim(value, `" `)
		}
	}
	return password
}

// Kill ends the server by SIGKILL and waits for it. One that is down stays down.
func (s *Server) Kill() { s.tell("kill", (*process).kill) }

// Stop ends the server by SIGTERM, as an administrator does, and waits for it. A paused
// one is resumed to end. One that is down stays down.
func (s *Server) Stop() {
	s.tell("stop", func(p *process) error { return p.terminate(stopLimit) })
}

// Pause stops the server by SIGSTOP: its connections stay open and nothing is answered,
// until [Server.Resume].
func (s *Server) Pause() { s.tell("pause", (*process).pause) }

// Resume lets a paused server go on by SIGCONT. One that runs runs on.
func (s *Server) Resume() { s.tell("resume", (*process).resume) }

// Restart starts the server again, on the same port and in the same directory, and
// returns when it answers and has loaded its data. One that runs is stopped before.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop()
	s.run(t)
	s.awaitReady(t)
}

// CPUTime returns what the server has used of the processor since it was started.
func (s *Server) CPUTime(t testing.TB) time.Duration {
	t.Helper()
	info, err := s.info(t.Context())
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	var total time.Duration
	for _, name := range []string{"used_cpu_user", "used_cpu_sys"} {
		used, err := time.ParseDuration(info[name] + "s")
		if err != nil {
			t.Fatalf("redistest: %s of INFO: %v", name, err)
		}
		total += used
	}
	return total
}

// tell does something to the process, if there is one.
func (s *Server) tell(what string, do func(*process) error) {
	current := s.current()
	if current == nil {
		return
	}
	if err := do(current); err != nil {
		s.t.Errorf("redistest: %s %s: %v", what, s.Addr(), err)
	}
}

func (s *Server) current() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}

// output returns the last of what the server wrote.
func (s *Server) output() string {
	text, err := os.ReadFile(filepath.Join(s.dir, outputName))
	if err != nil {
		return fmt.Sprintf("(%v)", err)
	}
	return string(text[max(0, len(text)-4096):])
}
