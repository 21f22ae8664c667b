package ginasync

import (
	"net/http"
	"sync"
	"sync/atomic"
)

// endings tells requests that wait when they have to end: net/http's Shutdown waits for
// them and does not tell them by itself.
type endings struct {
	latest atomic.Pointer[serverEnding] // nearly always the only one

	mu      sync.Mutex
	over    bool
	servers []*serverEnding
}

// serverEnding is the end of one server; a nil server is for requests of no http.Server.
type serverEnding struct {
	server *http.Server
	ended  chan struct{}
}

// of returns the channel that is closed when the Manager ends, or the server that the
// request came to. A server that shuts down tells those who asked before, so every
// request asks, and at once.
func (e *endings) of(r *http.Request) <-chan struct{} {
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if known := e.latest.Load(); known != nil && known.server == server {
		return known.ended
	}
	return e.find(server)
}

func (e *endings) find(server *http.Server) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, known := range e.servers {
		if known.server == server {
			e.latest.Store(known)
			return known.ended
		}
	}
	added := &serverEnding{server, make(chan struct{})}
	if e.over {
		close(added.ended)
	}
	e.servers = append(e.servers, added)
	e.latest.Store(added)
	if server != nil {
		server.RegisterOnShutdown(func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			closeOnce(added.ended)
		})
	}
	return added.ended
}

// end ends all requests that wait, and those to come. It may be called again.
func (e *endings) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	for _, known := range e.servers {
		closeOnce(known.ended)
	}
}

// closeOnce closes a channel that nobody else closes at the same time.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}
