package ginasync

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"time"

	"github.com/gin-gonic/gin"
)

// mostIgnored bounds what a client may send on the connection of its stream: it has
// nothing to say there.
const mostIgnored = 64 << 10

// streamConn is the connection of a stream that net/http has handed over.
type streamConn struct {
	net.Conn
	gone   chan struct{} // closed when the client has gone
	broken bool          // a write failed: where in the stream the client is, nobody knows
}

// takeConn takes the connection of a response that has begun, with headers and all, from
// net/http: that keeps 10 KB of buffers for it, which a stream has no use for, and most
// of the time is silent. Returned is nil when it is better left there. Whoever takes it
// ends it.
func takeConn(c *gin.Context) *streamConn {
	inner := mayBeTaken(c)
	if inner == nil {
		return nil
	}
	conn, buffers, err := http.NewResponseController(inner).Hijack()
	if err != nil {
		return nil
	}
	// It is net/http's own, which lives as long as the handler runs.
	*buffers.Reader = bufio.Reader{}
	s := &streamConn{Conn: conn, gone: make(chan struct{})}
	go listen(conn, s.gone)
	return s
}

// mayBeTaken returns the writer whose connection may be taken; nil: it is none of
// HTTP/1.1, or a middleware may want to see or change what is written.
func mayBeTaken(c *gin.Context) http.ResponseWriter {
	inner := plainWriter(c.Writer)
	if inner == nil || c.Request.ProtoMajor != 1 || !isChunked(c.Request, inner.Header()) {
		return nil
	}
	return inner
}

// plainWriter returns net/http's own writer if nothing but Gin's is in front of it, else
// nil.
func plainWriter(w gin.ResponseWriter) http.ResponseWriter {
	if reflect.TypeOf(w).String() != "*gin.responseWriter" {
		return nil
	}
	wrapping, _ := w.(interface{ Unwrap() http.ResponseWriter })
	if wrapping == nil || reflect.TypeOf(wrapping.Unwrap()).String() != "*http.response" {
		return nil
	}
	return wrapping.Unwrap()
}

// isChunked reports whether net/http writes a response in chunks (RFC 9112 §7.1). A
// request with a body is left alone: somebody may still want to read that.
func isChunked(r *http.Request, header http.Header) bool {
	return r.ProtoAtLeast(1, 1) && r.Body == http.NoBody &&
		header.Get("Content-Length") == "" && header.Get("Transfer-Encoding") == ""
}

// listen closes gone when the client goes, or sends without an end; what it sends means
// nothing. It gets along with the smallest stack there is.
func listen(conn net.Conn, gone chan struct{}) {
	ignored := make([]byte, 16)
	for sent := 0; sent < mostIgnored; {
		n, err := conn.Read(ignored)
		if err != nil {
			break
		}
		sent += n
	}
	close(gone)
}

// send writes text as a chunk.
func (s *streamConn) send(text []byte) error {
	return s.writeInTime("%x\r\n%s\r\n", len(text), text)
}

// end ends the response, and the connection.
func (s *streamConn) end() {
	if !s.broken {
		_ = s.writeInTime("0\r\n\r\n") // if it fails, the client sees that it was cut off
	}
	_ = s.Close() // there is nobody to tell
	<-s.gone
}

func (s *streamConn) writeInTime(format string, args ...any) error {
	err := s.SetWriteDeadline(time.Now().Add(slowestWrite))
	if err == nil {
		_, err = fmt.Fprintf(s.Conn, format, args...)
	}
	s.broken = s.broken || err != nil
	return err
}
