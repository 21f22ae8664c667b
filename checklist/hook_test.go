package checklist_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/ginasync/webhook"
)

// message is what the hook was sent.
type message struct {
	header http.Header
	body   string
	came   time.Time
	event  webhook.Event
	status ginasync.Status
}

// hook is told of the end of jobs.
type hook struct {
	t    *testing.T
	addr string

	mu     sync.Mutex
	got    map[string][]message // by job
	refuse map[string]bool      // jobs whose next message is refused
	once   []string             // jobs that must not be told of again
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{t: t, got: make(map[string][]message), refuse: make(map[string]bool)}
	server := httptest.NewServer(h)
	h.addr = strings.TrimPrefix(server.URL, "http://")
	t.Cleanup(func() {
		server.Close()
		for _, id := range h.once {
			assert.Len(t, h.got[id], 1, "an end is told once")
		}
	})
	return h
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender is gone
	}
	m := message{header: r.Header, body: string(body), came: time.Now()}
	assert.NoError(h.t, json.Unmarshal(body, &m.event))
	assert.NoError(h.t, json.Unmarshal(m.event.Data, &m.status))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got[m.status.ID] = append(h.got[m.status.ID], m)
	if h.refuse[m.status.ID] {
		delete(h.refuse, m.status.ID)
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func (h *hook) refuseOnce(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refuse[id] = true
}

// mustStay has the end of the tests look whether a job was told of once.
func (h *hook) mustStay(id string) { h.once = append(h.once, id) }

// await returns the messages about a job when there are as many.
func (h *hook) await(t *testing.T, id string, n int) []message {
	t.Helper()
	var got []message
	require.Eventually(t, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		got = h.got[id]
		return len(got) >= n
	}, patience, time.Millisecond)
	require.Len(t, got, n)
	return got
}

// innerHost is what must not be reached: a port of this machine.
type innerHost struct {
	addr  string // by name
	count atomic.Int64
}

func (h *innerHost) visits() int64 { return h.count.Load() }

func newInnerHost(t *testing.T) *innerHost {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	h := &innerHost{addr: "localhost:" + strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			h.count.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-over
		assert.Zero(t, h.visits(), "nobody comes")
	})
	return h
}
