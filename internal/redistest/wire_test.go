package redistest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wire is a connection on which a test writes and reads the protocol itself.
type wire struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func dial(t *testing.T, addr string) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	return &wire{t: t, conn: conn, r: bufio.NewReader(conn)}
}

// encode writes commands as clients do; the words of each are separated by spaces.
func encode(commands ...string) string {
	var text strings.Builder
	for _, command := range commands {
		words := strings.Fields(command)
		fmt.Fprintf(&text, "*%d\r\n", len(words))
		for _, word := range words {
			fmt.Fprintf(&text, "$%d\r\n%s\r\n", len(word), word)
		}
	}
	return text.String()
}

// send writes commands all at once.
func (w *wire) send(commands ...string) {
	w.t.Helper()
	_, err := io.WriteString(w.conn, encode(commands...))
	require.NoError(w.t, err)
}

// receives asserts which lines come next.
func (w *wire) receives(lines ...string) {
	w.t.Helper()
	for _, want := range lines {
		line, err := w.r.ReadString('\n')
		require.NoError(w.t, err, "instead of %q", want)
		require.Equal(w.t, want, strings.TrimSuffix(line, "\r\n"))
	}
}

// ends asserts that the connection was closed and nothing came before.
func (w *wire) ends() {
	w.t.Helper()
	rest, err := io.ReadAll(w.r)
	if err != nil {
		require.NotErrorIs(w.t, err, os.ErrDeadlineExceeded, "the connection is open")
	}
	assert.Empty(w.t, string(rest))
}

// silent asserts that nothing comes and the connection stays open for a moment.
func (w *wire) silent() {
	w.t.Helper()
	require.NoError(w.t, w.conn.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := w.r.ReadByte()
	require.ErrorIs(w.t, err, os.ErrDeadlineExceeded)
	require.NoError(w.t, w.conn.SetReadDeadline(time.Now().Add(20*time.Second)))
}
