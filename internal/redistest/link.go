package redistest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// link is one connection through a proxy.
type link struct {
	proxy  *Proxy
	client net.Conn
	cancel context.CancelFunc
	hangs  atomic.Bool

	mu     sync.Mutex
	server net.Conn // nil until it is dialed

	toClient, toServer side
	queue              queue
}

var (
	errHung = errors.New("the link hangs")
	errOver = errors.New("the link is over") // after a verdict
)

// run passes on what comes, until an end is closed.
func (l *link) run(ctx context.Context) {
	defer l.close()
	var dialer net.Dialer
	server, err := dialer.DialContext(ctx, "tcp", l.proxy.target)
	if err != nil && !l.isHung() {
		l.reset()
		return
	}
	if err == nil && l.attach(ctx, server) {
		var pumps sync.WaitGroup
		pumps.Go(func() { l.pump(ctx, l.passCommands) })
		pumps.Go(func() { l.pump(ctx, l.passReplies) })
		pumps.Wait()
	}
	if l.isHung() {
		<-ctx.Done()
	}
}

// attach reports whether the link still wants the connection to the server.
func (l *link) attach(ctx context.Context, server net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil {
		server.Close()
		return false
	}
	l.server = server
	l.toClient.w = bufio.NewWriter(l.client)
	l.toServer.w = bufio.NewWriter(server)
	return true
}

// pump passes on in one direction. Its error ends the link, once that no longer hangs.
func (l *link) pump(ctx context.Context, pass func() error) {
	err := pass()
	if errors.Is(err, errProtocol) {
		l.proxy.t.Errorf("redistest: proxy to %s: %v", l.proxy.target, err)
	}
	if l.isHung() {
		<-ctx.Done()
	}
	if errors.Is(err, errOver) {
		l.toServer.Lock() // the command is with the server
		defer l.toServer.Unlock()
	}
	if err != nil {
		l.close()
	}
}

// passCommands passes the commands of the client on to the server.
func (l *link) passCommands() error {
	r := bufio.NewReader(source{l.client, &l.toServer})
	for {
		raw, command, err := readCommand(r)
		if errors.Is(err, io.EOF) {
			return l.closeWrite()
		}
		if err != nil {
			return err
		}
		verdict := l.proxy.judge(command)
		if err := l.passCommand(raw, command, verdict); err != nil || verdict != Pass {
			return err // without one, passReplies ends the link
		}
	}
}

func (l *link) passCommand(raw []byte, command []string, verdict Verdict) error {
	l.toServer.Lock()
	defer l.toServer.Unlock()
	over := l.queue.add(command, verdict)
	if over {
		_ = l.mute()
	}
	if verdict != DropCommand {
		if err := l.toServer.put(raw); err != nil {
			return err
		}
	}
	// Who decides about commands may count on those that passed being with the server.
	if verdict != Pass || l.proxy.intercept.Load() != nil {
		if err := l.toServer.flush(); err != nil {
			return err
		}
	}
	if over {
		return errOver
	}
	return nil
}

// passReplies passes the replies of the server on to the client.
func (l *link) passReplies() error {
	r := bufio.NewReader(source{l.server, &l.toClient})
	var reply bytes.Buffer
	for {
		if _, err := r.Peek(1); err != nil {
			return err
		}
		if l.queue.isUnmatched() {
			return l.passBytes(r)
		}
		reply.Reset()
		if err := copyReply(&reply, r); err != nil {
			return err
		}
		if l.queue.drops(reply.Bytes()) {
			return l.mute()
		}
		if err := l.tell(reply.Bytes()); err != nil {
			return err
		}
		if l.queue.answered(reply.Bytes()) {
			return l.mute()
		}
	}
}

// passBytes passes on what comes from the server and is no reply to a command.
func (l *link) passBytes(r *bufio.Reader) error {
	if l.queue.unmatch() {
		return l.mute()
	}
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer)
		if err != nil {
			return err
		}
		if err := l.tell(buffer[:n]); err != nil {
			return err
		}
	}
}

// tell passes on to the client.
func (l *link) tell(raw []byte) error {
	l.toClient.Lock()
	defer l.toClient.Unlock()
	return l.toClient.put(raw)
}

// mute lets nothing pass to the client any more but what was passed on. It returns what
// ends the link.
func (l *link) mute() error {
	l.toClient.Lock()
	defer l.toClient.Unlock()
	if err := l.toClient.flush(); err != nil {
		return err
	}
	l.toClient.closed = errOver
	return errOver
}

// closeWrite tells the server that the client sends no more. It may still have to answer.
func (l *link) closeWrite() error {
	l.toServer.Lock()
	defer l.toServer.Unlock()
	if err := l.toServer.flush(); err != nil {
		return err
	}
	return l.server.(*net.TCPConn).CloseWrite()
}

// hang lets nothing pass any more. When it returns no write is under way.
func (l *link) hang() {
	l.hangs.Store(true)
	for _, conn := range l.conns() {
		_ = conn.SetWriteDeadline(time.Unix(1, 0)) // ends a write that waits; fails when closed
	}
	for _, to := range []*side{&l.toClient, &l.toServer} {
		to.Lock()
		to.closed = errHung
		to.Unlock()
	}
}

func (l *link) isHung() bool { return l.hangs.Load() }

// reset closes both ends and what is under way to the client is lost. What was passed on
// to the server is not: that end is not reset, and so has no reason to forget it.
func (l *link) reset() {
	_ = l.client.(*net.TCPConn).SetLinger(0) // fails when closed
	l.close()
}

// close closes both ends and lets run return.
func (l *link) close() {
	l.cancel()
	for _, conn := range l.conns() {
		conn.Close()
	}
}

// conns returns the connections that there are so far.
func (l *link) conns() []net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server == nil {
		return []net.Conn{l.client}
	}
	return []net.Conn{l.client, l.server}
}
