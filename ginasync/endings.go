package ginasync

import (
	"net/http"
	"sync"
)

// endings tells requests that wait when they have to end: net/http's Shutdown waits for
// them and would not tell them by itself.
type endings struct {
	mu      sync.Mutex
	over    bool
	servers map[*http.Server]chan struct{} // nil is for requests of no http.Server
}

// of returns the channel that is closed when the Manager ends, or the server that the
// request came to.
func (e *endings) of(r *http.Request) <-chan struct{} {
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	e.mu.Lock()
	defer e.mu.Unlock()
	ended, known := e.servers[server]
	if known {
		return ended
	}
	ended = make(chan struct{})
	if e.over {
		close(ended)
		return ended
	}
	if e.servers == nil {
		e.servers = make(map[*http.Server]chan struct{})
	}
	e.servers[server] = ended
	if server != nil {
		server.RegisterOnShutdown(func() { e.endServer(server) })
	}
	return ended
}

func (e *endings) endServer(server *http.Server) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over {
		closeOnce(e.servers[server])
	}
}

// end ends all requests that wait, and those to come. It may be called again.
func (e *endings) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	for _, ended := range e.servers {
		closeOnce(ended)
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
