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

	// Whoever writes to one side has its lock, so that hang can wait for writes.
	toClient, toServer sync.Mutex
	muted              bool // of toClient
	queue              queue
}

var errHung = errors.New("the link hangs")

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

// errOver ends a link after the verdict about a command.
var errOver = errors.New("the link is over")

// passCommands passes the commands of the client on to the server.
func (l *link) passCommands() error {
	r := bufio.NewReader(l.client)
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
		l.mute()
	}
	if l.isHung() {
		return errHung
	}
	if verdict != DropCommand {
		if _, err := l.server.Write(raw); err != nil {
			return err
		}
	}
	if over {
		return errOver
	}
	return nil
}

// passReplies passes the replies of the server on to the client, whole and one by one: a
// command that no longer waits has its reply on the way.
func (l *link) passReplies() error {
	r := bufio.NewReader(l.server)
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
			return errOver
		}
		if err := l.tell(reply.Bytes()); err != nil {
			return err
		}
		if l.queue.answered(reply.Bytes()) {
			return errOver
		}
	}
}

// passBytes passes on what comes from the server and is no reply to a command.
func (l *link) passBytes(r *bufio.Reader) error {
	if l.queue.unmatch() {
		return errOver
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
	if l.isHung() {
		return errHung
	}
	if l.muted {
		return errOver
	}
	_, err := l.client.Write(raw)
	return err
}

// mute lets nothing pass to the client any more.
func (l *link) mute() {
	l.toClient.Lock()
	defer l.toClient.Unlock()
	l.muted = true
}

// closeWrite tells the server that the client sends no more. It may still have to answer.
func (l *link) closeWrite() error {
	l.toServer.Lock()
	defer l.toServer.Unlock()
	if l.isHung() {
		return errHung
	}
	return l.server.(*net.TCPConn).CloseWrite()
}

// hang lets nothing pass any more. When it returns no write is under way.
func (l *link) hang() {
	l.hangs.Store(true)
	for _, conn := range l.conns() {
		_ = conn.SetWriteDeadline(time.Unix(1, 0)) // ends a write that waits; fails when closed
	}
	for _, side := range []*sync.Mutex{&l.toClient, &l.toServer} {
		side.Lock()
		side.Unlock() //nolint:staticcheck // waits for the write under way
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
