package eventsource_test

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy stands between clients and one of several servers, and can be cut.
type proxy struct {
	net.Listener
	wait sync.WaitGroup

	mu     sync.Mutex
	target string // empty: cut
	conns  map[net.Conn]bool
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{Listener: listener, conns: make(map[net.Conn]bool)}
	p.wait.Go(p.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		p.cut()
		p.wait.Wait()
	})
	return p
}

// lead lets new connections through to a server.
func (p *proxy) lead(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// cut breaks all connections, and lets none through until lead.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = ""
	for conn := range p.conns {
		_ = conn.Close()
	}
	clear(p.conns)
}

func (p *proxy) serve() {
	for {
		client, err := p.Accept()
		if err != nil {
			return
		}
		p.wait.Go(func() { p.connect(client) })
	}
}

func (p *proxy) connect(client net.Conn) {
	defer func() { _ = client.Close() }()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	if target == "" {
		return
	}
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	p.mu.Lock()
	if p.target != target {
		p.mu.Unlock()
		return
	}
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	p.wait.Go(func() {
		_, _ = io.Copy(server, client) // an error is the end of either
		_ = server.Close()
	})
	_, _ = io.Copy(client, server)
}
