package checklist_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

// patience is how long a test waits for what has to happen.
const patience = 20 * time.Second

func after(d time.Duration) <-chan time.Time { return time.After(d) }

// site is where the checks are made: what one process accepts is followed at another,
// or at the same if there is only one.
type site struct {
	name           string
	accepts, shows *process
	client         *http.Client
	gates          *gates
	hook           *hook
	inner          *innerHost
	watch          watch
	slow           slow

	another func(t *testing.T, watched, sealed bool) *site
}

// watch is at the store of a site.
type watch interface {
	// refuseWrites has the store refuse to write, or no longer.
	refuseWrites(t *testing.T, refuse bool)
	// overheard is all that was asked of the store so far.
	overheard(t *testing.T) string
}

// arrangement is a kind of site.
type arrangement struct {
	name  string
	start func(t *testing.T, s *site, told settings, watched bool)
}

func arrangements() []arrangement {
	return []arrangement{
		{"one process, in memory", startInMemory},
		{"two processes on one Redis, the one that accepts a job runs it", func(t *testing.T, s *site, told settings, watched bool) {
			startOnRedis(t, s, told, watched, true)
		}},
		{"two processes on one Redis, the one that is asked about a job runs it", func(t *testing.T, s *site, told settings, watched bool) {
			startOnRedis(t, s, told, watched, false)
		}},
	}
}

func (a arrangement) open(t *testing.T) *site { return a.openWith(t, false, false) }

// openWith opens a site that ends with the test. Only one that is watched has a watch.
func (a arrangement) openWith(t *testing.T, watched, sealed bool) *site {
	t.Helper()
	s := &site{name: a.name, another: a.openWith}
	s.client = &http.Client{
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(s.client.CloseIdleConnections)
	s.hook, s.inner = newHook(t), newInnerHost(t)
	var url string
	s.gates, url = newGates(t)
	a.start(t, s, settings{Gates: url, Hook: s.hook.addr, Inner: s.inner.addr, Sealed: sealed}, watched)
	t.Cleanup(s.gates.open) // before the processes end
	return s
}

func startOnRedis(t *testing.T, s *site, told settings, watched, acceptingWorks bool) {
	t.Helper()
	server := redistest.Start(t)
	told.Redis = server.Addr()
	if watched {
		s.watch = monitorRedis(t, server)
	}
	accepting, showing := told, told
	accepting.Works, showing.Works = acceptingWorks, !acceptingWorks
	s.accepts, s.shows = startProcess(t, accepting), startProcess(t, showing)
}

func startInMemory(t *testing.T, s *site, told settings, watched bool) {
	t.Helper()
	told.Works = true
	var jobs store.Store = memstore.New()
	if watched {
		over := &watchedStore{Store: jobs}
		jobs, s.watch = over, over
	}
	written := &logBuffer{}
	v, err := openService(told, jobs, slog.New(slog.NewJSONHandler(written, nil)))
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended, over := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(over)
		ended <- v.serve(ctx, listener)
	}()
	s.accepts = &process{url: "http://" + listener.Addr().String(), log: written.String, stop: stop, ended: ended}
	s.shows = s.accepts
	t.Cleanup(func() {
		select {
		case <-over:
		default:
			s.shows.endWell(t)
		}
		if t.Failed() {
			t.Logf("the service wrote:\n%s", written.String())
		}
	})
}

// logBuffer is safe for concurrent use.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// redisWatch reads what Redis says of all commands that it gets, and of those in scripts.
type redisWatch struct {
	client *redis.Client
	heard  logBuffer
}

func monitorRedis(t *testing.T, server *redistest.Server) *redisWatch {
	t.Helper()
	w := &redisWatch{client: server.Client(t)}
	conn, err := net.Dial("tcp", server.Addr())
	require.NoError(t, err)
	over := make(chan struct{})
	t.Cleanup(func() {
		_ = conn.Close()
		<-over
	})
	_, err = conn.Write([]byte("MONITOR\r\n"))
	require.NoError(t, err)
	go func() {
		defer close(over)
		piece := make([]byte, 1<<16)
		for {
			n, err := conn.Read(piece)
			_, _ = w.heard.Write(piece[:n])
			if err != nil {
				return
			}
		}
	}()
	return w
}

func (w *redisWatch) refuseWrites(t *testing.T, refuse bool) {
	t.Helper()
	limit := map[bool]string{true: "1", false: "0"}[refuse] // bytes; 0: none
	require.NoError(t, w.client.ConfigSet(t.Context(), "maxmemory", limit).Err())
}

func (w *redisWatch) overheard(t *testing.T) string {
	t.Helper()
	mark := store.NewID('z')
	require.NoError(t, w.client.Echo(t.Context(), mark).Err())
	require.Eventually(t, func() bool { return strings.Contains(w.heard.String(), mark) }, patience, time.Millisecond)
	return w.heard.String()
}

// finds polls until found returns true.
func finds(t *testing.T, what string, found func() bool) {
	t.Helper()
	assert.Eventually(t, found, patience, 5*time.Millisecond, what)
}
