package ginasync

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bodyOf captures a live request after the given handlers and returns its body.
func bodyOf(t *testing.T, maxBody int64, raw string, before ...gin.HandlerFunc) (body string, err error) {
	t.Helper()
	engine := gin.New()
	engine.POST("/", append(before, func(c *gin.Context) {
		var taken captured
		if taken, err = capture(c, maxBody, nil, nil); err == nil {
			again, readErr := io.ReadAll(c.Request.Body)
			assert.NoError(t, readErr)
			assert.Equal(t, string(taken.body), string(again), "the body can be read again")
		}
		body = string(taken.body)
	})...)
	server := httptest.NewServer(engine)
	defer server.Close()
	send(t, server.Listener.Addr().String(), raw)
	return body, err
}

func chunked(parts ...string) string {
	raw := rawRequest("POST /", "", "Transfer-Encoding: chunked")
	for _, part := range append(parts, "") {
		raw += fmt.Sprintf("%x\r\n%s\r\n", len(part), part)
	}
	return raw
}

// inChunks is a request with its body in one chunk instead of a declared length.
func inChunks(raw string) string {
	head, body, _ := strings.Cut(raw, crlf+crlf)
	head = strings.Replace(head, fmt.Sprintf("Content-Length: %d", len(body)), "Transfer-Encoding: chunked", 1)
	return fmt.Sprintf("%s\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", head, len(body), body)
}

func TestABodyIsReadWhole(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 20_000) // beyond what is allocated beforehand
	part := large[:40_000]
	for name, test := range map[string]struct{ raw, body string }{
		"of known length":    {rawRequest("POST /", "hello"), "hello"},
		"that is large":      {rawRequest("POST /", large), large},
		"in chunks":          {chunked("a", "bc", "def"), "abcdef"},
		"in large chunks":    {chunked(part, part, part), part + part + part},
		"that is empty":      {rawRequest("POST /", ""), ""},
		"of no chunks":       {chunked(), ""},
		"with line ends":     {rawRequest("POST /", "\r\n\r\n"), "\r\n\r\n"},
		"exactly the limit":  {rawRequest("POST /", large+large[:8000]), large + large[:8000]},
		"the limit in parts": {chunked(part, part, part, part, part, part, part, part, part[:8000]), strings.Repeat(part, 8) + part[:8000]},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := bodyOf(t, int64(len(large)+8000), test.raw)
			require.NoError(t, err)
			require.Equal(t, test.body, body)
		})
	}
}

func TestABodyOverTheLimitIsRefused(t *testing.T) {
	requireTooLarge := func(t *testing.T, err error, limit int64) {
		t.Helper()
		var tooLarge *bodyTooLargeError
		require.ErrorAs(t, err, &tooLarge)
		require.Equal(t, limit, tooLarge.limit)
		require.ErrorContains(t, err, "4 bytes")
	}
	t.Run("before a byte is read when its length says so", func(t *testing.T) {
		c := ginContext(t, rawRequest("POST /", "hello"))
		c.Request.Body = unreadable{errors.New("must not be read")}
		_, err := capture(c, 4, nil, nil)
		requireTooLarge(t, err, 4)
	})
	t.Run("when it turns out too long", func(t *testing.T) {
		_, err := bodyOf(t, 4, chunked("hel", "lo"))
		requireTooLarge(t, err, 4)
	})
	t.Run("when a limit before ours was passed", func(t *testing.T) {
		_, err := bodyOf(t, 100, chunked("hello"), func(c *gin.Context) {
			c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, 4)
		})
		requireTooLarge(t, err, 4)
	})
	t.Run("when a middleware kept it", func(t *testing.T) {
		_, err := bodyOf(t, 4, chunked("hello"), func(c *gin.Context) {
			_ = c.ShouldBindBodyWithJSON(new(string))
		})
		requireTooLarge(t, err, 4)
	})
	t.Run("and the connection is closed", func(t *testing.T) {
		engine := gin.New()
		engine.POST("/", func(c *gin.Context) {
			_, err := capture(c, 4, nil, nil)
			assert.Error(t, err)
			c.Status(http.StatusRequestEntityTooLarge)
		})
		server := httptest.NewServer(engine)
		defer server.Close()
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, chunked("hello"))
		require.NoError(t, err)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.True(t, response.Close)
	})
}

func TestADeclaredLengthDoesNotAllocate(t *testing.T) {
	c := ginContext(t, rawRequest("POST /", ""))
	c.Request.ContentLength = 10 << 20
	body := &roomy{Reader: strings.NewReader("short")}
	c.Request.Body = io.NopCloser(body)
	_, err := capture(c, 10<<20, nil, nil)
	require.ErrorIs(t, err, errBodyConsumed)
	require.Positive(t, body.room)
	require.LessOrEqual(t, body.room, 128<<10)
}

// roomy notes the largest buffer that it was given to read into.
type roomy struct {
	io.Reader
	room int
}

func (r *roomy) Read(p []byte) (int, error) {
	r.room = max(r.room, len(p))
	return r.Reader.Read(p)
}

func TestATruncatedBodyIsRefused(t *testing.T) {
	t.Run("of known length", func(t *testing.T) {
		requireTruncated(t, strings.Replace(rawRequest("POST /", "hello"), "Length: 5", "Length: 6", 1))
	})
	t.Run("in chunks", func(t *testing.T) {
		requireTruncated(t, strings.TrimSuffix(chunked("hello"), "0\r\n\r\n"))
	})
}

// requireTruncated sends a request and then nothing more.
func requireTruncated(t *testing.T, raw string) {
	t.Helper()
	done := make(chan error, 1)
	engine := gin.New()
	engine.POST("/", func(c *gin.Context) {
		_, err := capture(c, 100, nil, nil)
		done <- err
	})
	server := httptest.NewServer(engine)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, raw)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	err = <-done
	require.ErrorIs(t, err, errBodyTruncated)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestABodyThatAMiddlewareReadIsFoundAgain(t *testing.T) {
	form := func(body string) string {
		return rawRequest("POST /", body, "Content-Type: application/x-www-form-urlencoded; charset=utf-8")
	}
	for name, test := range map[string]struct {
		raw, body string
		before    gin.HandlerFunc
	}{
		"by ShouldBindBodyWith": {rawRequest("POST /", `{"a":1}`), `{"a":1}`, func(c *gin.Context) {
			_ = c.ShouldBindBodyWithJSON(new(map[string]int))
		}},
		"in chunks by ShouldBindBodyWith": {chunked(`{"a":1}`), `{"a":1}`, func(c *gin.Context) {
			_ = c.ShouldBindBodyWithJSON(new(map[string]int))
		}},
		"as a form": {form("b=2&a=x+y&b=1"), "a=x+y&b=2&b=1", func(c *gin.Context) {
			c.PostForm("a")
		}},
		"and put back": {rawRequest("POST /", "hello"), "hello", func(c *gin.Context) {
			body, _ := io.ReadAll(c.Request.Body)
			c.Request.Body = io.NopCloser(bytes.NewReader(body))
		}},
		"and put back changed": {rawRequest("POST /", "hello"), "hello, world", func(c *gin.Context) {
			c.Request.Body = io.NopCloser(strings.NewReader("hello, world"))
		}},
		"and put back shorter, with its length": {rawRequest("POST /", "0123456789"), "01", func(c *gin.Context) {
			c.Request.Body, c.Request.ContentLength = io.NopCloser(strings.NewReader("01")), 2
		}},
		"and put back in part, but kept whole": {rawRequest("POST /", `{"a":1}`), `{"a":1}`, func(c *gin.Context) {
			_ = c.ShouldBindBodyWithJSON(new(map[string]int))
			c.Request.Body = io.NopCloser(strings.NewReader(`{"a"`))
		}},
		"in chunks as a form": {chunked("b=2&", "a=1"), "a=1&b=2", func(c *gin.Context) {
			c.Request.Header.Set("Content-Type", gin.MIMEPOSTForm)
			c.PostForm("a")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := bodyOf(t, 100, test.raw, test.before)
			require.NoError(t, err)
			require.Equal(t, test.body, body)
		})
	}
}

func TestABodyThatIsGoneIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		raw    string
		before gin.HandlerFunc
	}{
		"read as JSON": {rawRequest("POST /", `{"a":1}`), func(c *gin.Context) { _ = c.ShouldBindJSON(new(any)) }},
		"read as a multipart form": {upload(t, 10), func(c *gin.Context) {
			_, err := c.MultipartForm()
			assert.NoError(t, err)
		}},
		"read as a multipart form in chunks": {inChunks(upload(t, 10)), func(c *gin.Context) {
			_, err := c.MultipartForm()
			assert.NoError(t, err)
		}},
		"read in part": {rawRequest("POST /", "0123456789"), func(c *gin.Context) {
			_, err := io.ReadFull(c.Request.Body, make([]byte, 5))
			assert.NoError(t, err)
		}},
		"put back shorter, without its length": {rawRequest("POST /", "0123456789"), func(c *gin.Context) {
			c.Request.Body = io.NopCloser(strings.NewReader("01"))
		}},
		"replaced by nothing, without its length": {rawRequest("POST /", "0123456789"), func(c *gin.Context) {
			c.Request.Body = http.NoBody
		}},
		"closed": {rawRequest("POST /", "hello"), func(c *gin.Context) { _ = c.Request.Body.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bodyOf(t, 1<<10, test.raw, test.before)
			require.ErrorIs(t, err, errBodyConsumed)
			require.ErrorContains(t, err, "ShouldBindBodyWith", "the text says how to mend it")
			require.ErrorContains(t, err, "ContentLength", "the text says how to mend it")
		})
	}
}

func TestAFailureToReadIsTheCause(t *testing.T) {
	cause := errors.New("wire cut")
	c := ginContext(t, rawRequest("POST /", "hello"))
	c.Request.Body = unreadable{cause}
	_, err := capture(c, 100, nil, nil)
	require.ErrorIs(t, err, errBodyTruncated)
	require.ErrorIs(t, err, cause)
}

func TestAStoredRequestCanBeSentOn(t *testing.T) {
	s, err := decodeSnapshot([]byte("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"), nil)
	require.NoError(t, err)
	require.NoError(t, s.request.Body.Close())
	for range 2 {
		body, err := s.request.GetBody()
		require.NoError(t, err)
		text, err := io.ReadAll(body)
		require.NoError(t, err)
		require.Equal(t, "hi", string(text))
	}
}

type unreadable struct{ err error }

func (u unreadable) Read([]byte) (int, error) { return 0, u.err }
func (unreadable) Close() error               { return nil }
