package redistest

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Verdict is what a [Proxy] does with a command.
type Verdict int

const (
	// Pass lets the command and its reply through.
	Pass Verdict = iota
	// DropReply lets the server run the command, throws its reply away and closes the
	// connection: the client cannot know whether the command was run.
	DropReply
	// DropCommand closes the connection instead of passing the command on.
	DropCommand
)

// Proxy is a network between clients and one server that fails on demand. Its methods are
// safe for concurrent use.
//
// A client of a cluster or of Sentinels goes past it: those tell their own addresses.
type Proxy struct {
	t         testing.TB
	target    string
	listener  net.Listener
	intercept atomic.Pointer[func([]string) Verdict]
	judging   sync.Mutex
	running   sync.WaitGroup

	mu    sync.Mutex
	links map[*link]struct{}
	state state
}

// state is what happens to new connections.
type state int

const (
	open state = iota
	hung
	cut
	over
)

// NewProxy passes on to target (host:port) what clients send to its own address, until t
// ends. The target is dialed once for each connection and need not run yet.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	p := &Proxy{t: t, target: target, listener: listener, links: make(map[*link]struct{})}
	// Cleanups of the test that come before this one may still need the server.
	ctx := context.WithoutCancel(t.Context())
	p.running.Go(func() { p.accept(ctx) })
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Errorf("redistest: %v", err)
		}
		p.enter(over, (*link).reset)
		p.running.Wait()
	})
	return p
}

// Addr returns host:port of the proxy.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut resets all connections, and new ones at once, until [Proxy.Mend]. The server runs
// the commands that were passed on before; their replies are lost.
func (p *Proxy) Cut() { p.enter(cut, (*link).reset) }

// Hang lets nothing pass any more, in either direction, and leaves the connections open;
// new ones are accepted and hang as well. Neither side learns that the other closed its
// end. [Proxy.Mend] ends it.
func (p *Proxy) Hang() { p.enter(hung, (*link).hang) }

// Mend ends [Proxy.Cut] and [Proxy.Hang]: the hung connections are reset, new ones pass.
// What the hung ones held back never arrives.
func (p *Proxy) Mend() {
	p.enter(open, func(l *link) {
		if l.isHung() {
			l.reset()
		}
	})
}

// enter sets what happens to new connections and does something to those that are there.
func (p *Proxy) enter(next state, do func(*link)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != over {
		p.state = next
	}
	for l := range p.links {
		do(l)
	}
}

// Intercept has f decide about each command that clients send from now on, also those
// that go-redis sends by itself on a new connection (HELLO, CLIENT, AUTH). nil decides
// nothing. Calls of f come one at a time, in the order of the commands on each
// connection; f must not keep or change command.
//
// After DropReply and DropCommand the commands before it are still answered; those behind
// it on the same connection are not passed on. After MONITOR and on a connection for
// replication, where nothing is a reply, both close it at once. CLIENT REPLY is not
// understood.
func (p *Proxy) Intercept(f func(command []string) Verdict) {
	if f == nil {
		p.intercept.Store(nil)
		return
	}
	p.intercept.Store(&f)
}

func (p *Proxy) judge(command []string) Verdict {
	f := p.intercept.Load()
	if f == nil || len(command) == 0 {
		return Pass
	}
	p.judging.Lock()
	defer p.judging.Unlock()
	return (*f)(command)
}

// accept makes a link of each connection until the listener is closed.
func (p *Proxy) accept(ctx context.Context) {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		linkCtx, cancel := context.WithCancel(ctx)
		l := &link{proxy: p, client: conn, cancel: cancel}
		if !p.admit(l) {
			continue
		}
		p.running.Go(func() {
			defer p.forget(l)
			l.run(linkCtx)
		})
	}
}

// admit takes a new connection in, or resets it.
func (p *Proxy) admit(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.state {
	case cut, over:
		l.reset()
		return false
	case hung:
		l.hang()
	case open:
	}
	p.links[l] = struct{}{}
	return true
}

func (p *Proxy) forget(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}
