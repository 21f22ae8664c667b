package checklist_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// gates tell handlers what to do next, wherever they run. Each job has one by its name.
type gates struct {
	mu     sync.Mutex
	words  map[string]chan string
	opened chan struct{}
	open   func() // ends all handlers, now and later
}

func newGates(t *testing.T) (g *gates, url string) {
	t.Helper()
	g = &gates{words: make(map[string]chan string), opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	t.Cleanup(g.open)
	return g, server.URL
}

// of returns the channel on which a handler hears.
func (g *gates) of(name string) chan string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.words[name] == nil {
		g.words[name] = make(chan string)
	}
	return g.words[name]
}

func (g *gates) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case word := <-g.of(r.URL.Query().Get("gate")):
		_, _ = io.WriteString(w, word)
	case <-g.opened:
		_, _ = io.WriteString(w, "end")
	case <-r.Context().Done():
	}
}

// heldJob is one whose handler does what it is told.
type heldJob struct {
	id    string
	words chan<- string
}

// tell has the handler do something, and returns when it has heard of it: it runs.
func (j heldJob) tell(t *testing.T, word string) {
	t.Helper()
	select {
	case j.words <- word:
	case <-after(patience):
		require.Fail(t, "the handler does not ask what to do", word)
	}
}

// isRunning returns when the handler runs.
func (j heldJob) isRunning(t *testing.T) { j.tell(t, "go on") }
