package ginasync_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

// quick is a route whose handler ends when the test says so.
func quick(release <-chan struct{}) func(r *gin.Engine) {
	return func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(func(c *gin.Context) {
			select {
			case <-release:
			case <-c.Done():
			}
			c.String(http.StatusOK, "done")
		}))
	}
}

// stream sends a request as it is, and returns the response and, unread, what follows.
func stream(t *testing.T, a *app, request string) (net.Conn, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return conn, resp
}

// streamEnds reads a stream to its end, which is in order, and checks that it has all.
func streamEnds(t *testing.T, resp *http.Response) {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Contains(t, string(body), "retry: ")
	assert.Contains(t, string(body), `"state":"in_progress"`)
	assert.Contains(t, string(body), `"state":"completed"`)
}

func TestEventsForEachKindOfRequest(t *testing.T) {
	for name, request := range map[string]string{
		"of HTTP/1.1":                  "GET /jobs/%s/events HTTP/1.1\r\nHost: x\r\n\r\n",
		"that wants no more":           "GET /jobs/%s/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"of HTTP/1.0":                  "GET /jobs/%s/events HTTP/1.0\r\nHost: x\r\n\r\n",
		"with a body":                  "GET /jobs/%s/events HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
		"of a client that goes on":     "GET /jobs/%s/events HTTP/1.1\r\nHost: x\r\n\r\n",
		"with another right behind it": "GET /jobs/%s/events HTTP/1.1\r\nHost: x\r\n\r\nGET /jobs/x HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			a := newApp(t, quick(release))
			id := a.submit("/x", "")
			a.awaitState(id, "in_progress")
			conn, resp := stream(t, a, fmt.Sprintf(request, id))
			if strings.HasSuffix(name, "goes on") {
				_, err := io.WriteString(conn, "GET /jobs/x HTTP/1.1\r\nHost: x\r\n\r\n")
				require.NoError(t, err)
			}
			require.Eventually(t, func() bool { return a.jobs.Watchers() == 1 }, patience, time.Millisecond)
			close(release)
			streamEnds(t, resp)
			require.Eventually(t, func() bool { return a.jobs.Watchers() == 0 }, patience, time.Millisecond)
		})
	}
}

// counting is a writer of a middleware, which sees what goes through it.
type counting struct {
	gin.ResponseWriter
	seen *strings.Builder
}

func (w counting) Write(p []byte) (int, error) {
	w.seen.Write(p)
	return w.ResponseWriter.Write(p)
}

func TestEventsLeaveTheConnectionToWhoeverIsInFront(t *testing.T) {
	t.Run("a middleware of Gin's", func(t *testing.T) {
		release := make(chan struct{})
		var seen strings.Builder
		a := newApp(t, func(r *gin.Engine) {
			r.Use(func(c *gin.Context) {
				if strings.HasSuffix(c.FullPath(), "/events") {
					c.Writer = counting{c.Writer, &seen}
				}
			})
			quick(release)(r)
		})
		id := a.submit("/x", "")
		a.awaitState(id, "in_progress")
		_, resp := stream(t, a, "GET /jobs/"+id+"/events HTTP/1.1\r\nHost: x\r\n\r\n")
		close(release)
		streamEnds(t, resp)
		assert.Contains(t, seen.String(), `"state":"completed"`)
	})

	t.Run("a handler of net/http's", func(t *testing.T) {
		release := make(chan struct{})
		r := gin.New()
		quick(release)(r)
		a := startApp(t, r, memstore.New())
		var seen strings.Builder
		server := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			r.ServeHTTP(plainCounting{w, &seen}, req)
		})}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		defer func() {
			require.NoError(t, server.Close())
			assert.ErrorIs(t, <-served, http.ErrServerClosed)
		}()
		id := a.submit("/x", "")
		a.awaitState(id, "in_progress")
		in := &app{t: t, url: "http://" + listener.Addr().String()}
		_, resp := stream(t, in, "GET /jobs/"+id+"/events HTTP/1.1\r\nHost: x\r\n\r\n")
		close(release)
		streamEnds(t, resp)
		assert.Contains(t, seen.String(), `"state":"completed"`)
	})
}

// plainCounting is counting outside of Gin.
type plainCounting struct {
	http.ResponseWriter
	seen *strings.Builder
}

func (w plainCounting) Write(p []byte) (int, error) {
	w.seen.Write(p)
	return w.ResponseWriter.Write(p)
}

func (w plainCounting) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w plainCounting) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }
