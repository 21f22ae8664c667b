package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

const (
	// patience is how long a test waits for what has to happen.
	patience = 60 * time.Second
	// submissionLimit is the time for one call to the store, and what a busy machine
	// takes besides.
	submissionLimit = 6500 * time.Millisecond
	// resumption is the goal: work goes on that soon after Redis is back.
	resumption = 2 * time.Second
)

// onThisMachine allows for a machine that has other things to do: more than twice as
// many as it has processors.
func onThisMachine(t *testing.T, goal time.Duration) time.Duration {
	t.Helper()
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return goal // not Linux
	}
	var load float64
	_, err = fmt.Sscan(string(text), &load)
	require.NoError(t, err)
	slower := max(1, load/float64(2*runtime.NumCPU()))
	if slower > 1 {
		t.Logf("the machine is busy with %.1f things at once: %v become %v", load, goal, time.Duration(float64(goal)*slower))
	}
	return time.Duration(float64(goal) * slower)
}

// go-redis writes to the log whenever it cannot connect, which is no news here.
func init() { redis.SetLogger(silence{}) }

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// site is what one process of a service is: an engine that accepts jobs, and workers
// that run them, which tell the ledger.
type site struct {
	store  *redisstore.Store
	engine *gin.Engine
	ledger *ledger
	// letGo is closed when the jobs of the route /held may end.
	letGo chan struct{}
}

// openSite starts a site that ends with the test.
func openSite(t *testing.T, client redis.UniversalClient, l *ledger, partitions int, opts ...ginasync.Option) *site {
	t.Helper()
	gin.SetMode(gin.TestMode)
	s := &site{
		store:  redisstore.New(client, redisstore.WithPartitions(partitions)),
		engine: gin.New(), ledger: l, letGo: make(chan struct{}),
	}
	s.engine.POST("/brief", ginasync.Async(s.brief))
	s.engine.POST("/held", ginasync.Async(s.held))
	manager, err := ginasync.New(s.engine, append([]ginasync.Option{
		ginasync.WithStore(s.store), ginasync.WithLogger(slog.New(slog.DiscardHandler)), ginasync.WithGrace(5 * time.Second),
	}, opts...)...)
	require.NoError(t, err)
	manager.Routes(s.engine.Group("/jobs"))
	require.NoError(t, manager.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() {
		s.release()
		// A lease may have ended with the outage that the test was about.
		if err := manager.Shutdown(context.Background()); !errors.Is(err, store.ErrLeaseLost) {
			require.NoError(t, err)
		}
	})
	return s
}

// brief takes some milliseconds.
func (s *site) brief(c *gin.Context) {
	pause, cancel := context.WithTimeout(c, time.Duration(rand.IntN(20))*time.Millisecond)
	defer cancel()
	s.handle(c, pause.Done())
}

// held goes on until the test releases it.
func (s *site) held(c *gin.Context) { s.handle(c, s.letGo) }

// handle answers when it may, and with what no other run answers.
func (s *site) handle(c *gin.Context, until <-chan struct{}) {
	attempt, _ := ginasync.FromContext(c)
	r := s.ledger.begin(attempt.ID, attempt.Number)
	defer s.ledger.end(r)
	select {
	case <-until:
	case <-c.Done():
	}
	c.String(http.StatusOK, r.body)
}

// release lets the held jobs end.
func (s *site) release() {
	select {
	case <-s.letGo:
	default:
		close(s.letGo)
	}
}

// submit sends a request and tells the ledger what became of it.
func (s *site) submit(path string) answer {
	request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(`{"size": 3}`))
	recorder := httptest.NewRecorder()
	began := time.Now()
	s.engine.ServeHTTP(recorder, request)
	a := answer{
		status: recorder.Code, retryAfter: recorder.Header().Get("Retry-After"),
		at: time.Now(), took: time.Since(began),
	}
	var status struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(recorder.Body.Bytes(), &status) == nil {
		a.id = status.ID
	}
	s.ledger.note(a)
	return a
}

// result fetches the result of a job as a client does.
func (s *site) result(t *testing.T, id string) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	s.engine.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/jobs/"+id+"/result", nil))
	require.Equal(t, http.StatusOK, recorder.Code, recorder.Body)
	return recorder.Body.String()
}

// load submits a brief job every 5 ms, whether or not those before were answered:
// clients do not wait for each other. The function it returns ends that and waits for
// the answers.
func (s *site) load(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	clients.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				clients.Go(func() { s.submit("/brief") })
			case <-ctx.Done():
				return
			}
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		clients.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// waitFor calls check until it returns nil, for as long as patience lasts.
func waitFor(t *testing.T, check func() error) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			require.NoError(t, err, "after %v", patience)
		}
	}
}

// awaitDialers makes the test end only when no goroutine of go-redis tries to reach a
// server: it does so once a second, and sees only then that its client is closed. Call
// it before clients are made.
func awaitDialers(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		waitFor(t, func() error {
			stacks := make([]byte, 1<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			if bytes.Contains(stacks, []byte("(*ConnPool).tryDial")) {
				return errors.New("clients that are closed still try to connect")
			}
			return nil
		})
	})
}

// letPass lets an outage last.
func letPass(d time.Duration) { <-time.After(d) }

// inLongForm reports whether the tests shall take the time to be thorough.
func inLongForm() bool { return os.Getenv("CHAOS") == "long" }

// either returns long in the long form of the tests.
func either[T any](short, long T) T {
	if inLongForm() {
		return long
	}
	return short
}

// cpuTime is what this process has used of the processor.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
