package redistest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	askLimit   = time.Second      // for one question to a server, which may be paused
	readyLimit = 30 * time.Second // for a state to come; a busy machine is slow
)

// awaitReady returns when the process that was started answers and has loaded its data.
// If another program was faster on its port, a server whose port nobody knows yet takes
// another one, and a restarted one tries again.
func (s *Server) awaitReady(t testing.TB) {
	t.Helper()
	await(t, func() error {
		problem := s.notReady(t.Context())
		if problem == nil || !s.current().hasEnded() {
			return problem
		}
		output := s.output()
		if !strings.Contains(output, "Address already in use") {
			t.Fatalf("redistest: the server at %s ended and wrote:\n%s", s.Addr(), output)
		}
		if !s.known {
			if err := s.port.release(); err != nil {
				t.Fatalf("redistest: %v", err)
			}
			s.takePort(t)
		}
		s.run(t)
		return fmt.Errorf("another program has port %d", s.port.number)
	})
	s.known = true
}

// notReady returns what keeps the server from being used, or nil.
func (s *Server) notReady(ctx context.Context) error {
	info, err := s.info(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("%w; the server wrote:\n%s", err, s.output())
	case info["process_id"] != strconv.Itoa(s.current().child.Pid):
		return fmt.Errorf("another server answers at %s", s.Addr())
	case info["loading"] == "1":
		return errors.New("the server loads its data")
	}
	return nil
}

// info returns what INFO says, by name.
func (s *Server) info(ctx context.Context) (map[string]string, error) {
	return askInfo(ctx, s.Addr(), s.password())
}

func askInfo(ctx context.Context, addr, password string) (map[string]string, error) {
	var text string
	err := ask(ctx, addr, password, func(ctx context.Context, c *redis.Client) (err error) {
		text, err = c.Info(ctx).Result()
		return err
	})
	return fields(text), err
}

// fields reads the lines "name:value" of INFO and CLUSTER INFO.
func fields(text string) map[string]string {
	all := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			all[name] = value
		}
	}
	return all
}

// ask puts a question to the server by a client that tries once and gives up soon.
func (s *Server) ask(ctx context.Context, question func(context.Context, *redis.Client) error) error {
	return ask(ctx, s.Addr(), s.password(), question)
}

func ask(ctx context.Context, addr, password string, question func(context.Context, *redis.Client) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askLimit)
	defer cancel()
	// A go-redis client that cannot dial writes to the log and goes on dialing for a
	// while after it was closed, so it is given a connection that exists.
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	client := redis.NewClient(&redis.Options{
		Addr:                     addr,
		Password:                 password,
		Dialer:                   func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		MaxRetries:               -1,
		PoolSize:                 1,
		ContextTimeoutEnabled:    true,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	defer client.Close() //nolint:errcheck // the answer is here or is not
	return question(ctx, client)
}

// await calls again and again until it returns nil, and fails t with what it returned
// last when that takes too long.
func await(t testing.TB, again func() error) {
	t.Helper()
	deadline := time.NewTimer(readyLimit)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := again()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("redistest: after %v: %v", readyLimit, err)
		case <-tick.C:
		}
	}
}

// closeWith closes a client when t ends. One that the test has closed itself is fine.
func closeWith(t testing.TB, client io.Closer) {
	t.Helper()
	t.Cleanup(func() {
		if err := client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
			t.Errorf("redistest: close the client: %v", err)
		}
	})
}
