package site

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Load sends requests and counts the answers. The client does as little as it can, for it
// has the same processor as the server: requests are written before, and of an answer only
// its status and its length are looked at.
func (s *Service) Load(want Load, done *Loaded) error {
	conns, err := dialAll(s.life, want)
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(s.life)
	defer cancel(nil)
	var answers atomic.Int64
	var all sync.WaitGroup
	for i, conn := range conns {
		all.Go(func() {
			if err := ask(ctx, conn, want, i, &answers); err != nil {
				cancel(err)
			}
		})
	}
	err = rest(ctx, want.Warm)
	before, since := answers.Load(), time.Now()
	if err == nil {
		err = rest(ctx, want.Span)
	}
	*done = Loaded{Answers: answers.Load() - before, Took: time.Since(since)}
	if err != nil {
		err = context.Cause(ctx)
	}
	cancel(nil)
	all.Wait()
	return err
}

func dialAll(ctx context.Context, want Load) ([]net.Conn, error) {
	var dialer net.Dialer
	var conns []net.Conn
	for range want.Conns {
		conn, err := dialer.DialContext(ctx, "tcp", want.Addr)
		if err != nil {
			return conns, err
		}
		conns = append(conns, conn)
	}
	return conns, nil
}

// ask sends over one connection until ctx is done.
func ask(ctx context.Context, conn net.Conn, want Load, turn int, answers *atomic.Int64) error {
	requests := make([][]byte, len(want.Paths))
	for i, path := range want.Paths {
		requests[i] = requestText(want, path)
	}
	replies := bufio.NewReaderSize(conn, 16<<10)
	for ; ctx.Err() == nil; turn++ {
		if _, err := conn.Write(requests[turn%len(requests)]); err != nil {
			return err
		}
		status, err := readAnswer(replies)
		if err != nil {
			return err
		}
		if status != want.Want {
			return fmt.Errorf("%s %s was answered %d, not %d", want.Method, want.Paths[turn%len(want.Paths)], status, want.Want)
		}
		answers.Add(1)
	}
	return nil
}

func requestText(want Load, path string) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\n", want.Method, path, want.Addr)
	if len(want.Body) > 0 {
		fmt.Fprintf(&text, "Content-Type: text/plain\r\nContent-Length: %d\r\n", len(want.Body))
	}
	text.WriteString("\r\n")
	text.Write(want.Body)
	return text.Bytes()
}

// readAnswer reads an answer that has a Content-Length, and forgets all but its status.
func readAnswer(r *bufio.Reader) (status int, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(line, []byte(" "))
	if len(rest) < 3 {
		return 0, fmt.Errorf("no status line: %q", line)
	}
	if status, err = strconv.Atoi(string(rest[:3])); err != nil {
		return 0, err
	}
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errors.New("an answer without Content-Length")
	}
	_, err = r.Discard(length)
	return status, err
}
