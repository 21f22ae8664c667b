package ginasync

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAReplayedResponseIsTheLiveOne(t *testing.T) {
	write := func(status int, body string, headers ...string) gin.HandlerFunc {
		return func(c *gin.Context) {
			for i := 0; i < len(headers); i += 2 {
				c.Writer.Header().Add(headers[i], headers[i+1])
			}
			c.Status(status)
			_, err := c.Writer.WriteString(body)
			if err != nil {
				_ = c.Error(err)
			}
		}
	}
	for name, test := range map[string]struct {
		handler gin.HandlerFunc
		status  int
		shows   string // in the body
		kind    string // Content-Type
	}{
		"a guessed HTML type":      {write(200, "<html><body>"), 200, "<html>", "text/html; charset=utf-8"},
		"a guessed PNG type":       {write(200, "\x89PNG\x0d\x0a\x1a\x0a..."), 200, "PNG", "image/png"},
		"a guess by 512 bytes":     {write(200, strings.Repeat(" ", 511)+"<html>"), 200, "<html>", "text/plain; charset=utf-8"},
		"a guess by a large body":  {write(200, strings.Repeat("\x00", 9999)), 200, "\x00", "application/octet-stream"},
		"no guess when encoded":    {write(200, "<html>", "Content-Encoding", "br"), 200, "<html>", ""},
		"no guess without a body":  {write(200, ""), 200, "", ""},
		"the type that was set":    {write(200, "<html>", "Content-Type", "a/b"), 200, "<html>", "a/b"},
		"several values in order":  {write(200, "x", "Vary", "B", "Vary", "A", "X-Bin", "\xff"), 200, "x", "text/plain; charset=utf-8"},
		"line feeds in a header":   {write(200, "x", "X-A", "1\r\nX-B: 2"), 200, "x", "text/plain; charset=utf-8"},
		"a header with a bad name": {write(200, "x", "X A", "1"), 200, "x", "text/plain; charset=utf-8"},
		"an unusual status":        {write(299, "odd"), 299, "odd", "text/plain; charset=utf-8"},
		"204 without content":      {write(204, "lost", "Content-Type", "a/b"), 204, "", "a/b"},
		"304 without content":      {write(304, "lost", "Content-Type", "a/b", "Etag", `"1"`), 304, "", ""},
		"nothing at all":           {func(*gin.Context) {}, 200, "", ""},
		"no type on purpose": {func(c *gin.Context) {
			c.Writer.Header()["Content-Type"] = nil
			_, _ = c.Writer.WriteString("<html>")
		}, 200, "<html>", ""},
		"a guess by what came before the flush": {func(c *gin.Context) {
			_, _ = c.Writer.WriteString("plain")
			c.Writer.Flush()
			_, _ = c.Writer.Write([]byte("\x00\x01"))
		}, 200, "plain\x00\x01", "text/plain; charset=utf-8"},
		"no guess after an empty flush": {func(c *gin.Context) {
			c.Writer.Flush()
			_, _ = c.Writer.WriteString("<html>")
		}, 200, "<html>", ""},
		"headers as they were at the first write": {func(c *gin.Context) {
			c.Header("X-A", "1")
			c.String(201, "a")
			c.Header("X-A", "2")
			c.Header("X-B", "3")
			c.Status(500)
		}, 201, "a", "text/plain; charset=utf-8"},
		"a body as long as declared": {func(c *gin.Context) {
			c.Header("Content-Length", "2")
			_, err := c.Writer.WriteString("ab")
			_, more := c.Writer.WriteString("c")
			assert.NoError(t, err)
			assert.ErrorIs(t, more, http.ErrContentLength)
		}, 200, "ab", "text/plain; charset=utf-8"},
		"informational responses first": {func(c *gin.Context) {
			serverWriter(c.Writer).WriteHeader(http.StatusProcessing)
			c.String(200, "final")
		}, 200, "final", "text/plain; charset=utf-8"},
		"a superfluous status": {func(c *gin.Context) {
			serverWriter(c.Writer).WriteHeader(202)
			serverWriter(c.Writer).WriteHeader(500)
		}, 202, "", ""},
		"a relative redirect": {func(c *gin.Context) { c.Redirect(http.StatusFound, "there?x=1") }, 302, "", ""},
		"a stream": {func(c *gin.Context) {
			n := 0
			gone := c.Stream(func(w io.Writer) bool {
				n++
				_, _ = w.Write([]byte{byte('0' + n)})
				return n < 3
			})
			assert.False(t, gone)
		}, 200, "123", "text/plain; charset=utf-8"},
		"server-sent events": {func(c *gin.Context) {
			c.SSEvent("tick", gin.H{"n": 1})
			c.SSEvent("", "end")
		}, 200, "event:tick\ndata:{\"n\":1}\n\n", "text/event-stream;charset=utf-8"},
		"a flush by the controller": {func(c *gin.Context) {
			c.String(200, "a")
			assert.NoError(t, http.NewResponseController(c.Writer).Flush())
		}, 200, "a", "text/plain; charset=utf-8"},
	} {
		t.Run(name, func(t *testing.T) {
			got := handle(test.handler).same(t, rawRequest("POST /", ""))
			require.Equal(t, test.status, got.status)
			require.Contains(t, got.body, test.shows)
			require.Equal(t, test.kind, got.header.Get("Content-Type"))
		})
	}
}

func TestFilesAreReplayedWhole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.txt")
	require.NoError(t, os.WriteFile(file, []byte("0123456789"), 0o600))
	for name, handler := range map[string]gin.HandlerFunc{
		"File":           func(c *gin.Context) { c.File(file) },
		"FileAttachment": func(c *gin.Context) { c.FileAttachment(file, "jährlich.txt") },
		"FileFromFS":     func(c *gin.Context) { c.FileFromFS("report.txt", http.Dir(filepath.Dir(file))) },
	} {
		t.Run(name+" as live", func(t *testing.T) {
			got := handle(handler).same(t, rawRequest("POST /", ""))
			require.Equal(t, "0123456789", got.body)
		})
		t.Run(name+" whatever part or condition was asked for", func(t *testing.T) {
			route := handle(handler)
			route.method, route.path = http.MethodGet, "/"
			got := send(t, route.asJob(t), rawRequest("GET /", "", "Range: bytes=2-3", "If-Range: \"1\"",
				"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT", "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
				"If-None-Match: *", "If-Match: \"1\""))
			require.Equal(t, http.StatusOK, got.status)
			require.Equal(t, "0123456789", got.body)
		})
	}
	t.Run("but the conditions are stored", func(t *testing.T) {
		c := ginContext(t, rawRequest("GET /", "", "Range: bytes=2-3", "If-Match: x"))
		taken, err := capture(c, 0, nil, nil)
		require.NoError(t, err)
		require.Contains(t, string(taken.request), "If-Match: x\r\nRange: bytes=2-3\r\n")
	})
}

func TestHandleContextReentersTheUsersEngine(t *testing.T) {
	var engine *gin.Engine
	route := twin{
		settings: func(e *gin.Engine) {
			engine = e
			e.POST("/other/:id", func(c *gin.Context) { c.String(200, "%s %s", c.FullPath(), c.Param("id")) })
		},
		handlers: []gin.HandlerFunc{func(c *gin.Context) {
			c.Request.URL.Path = "/other/9"
			engine.HandleContext(c)
		}},
	}
	require.Equal(t, "/other/:id 9", route.same(t, rawRequest("POST /", "")).body)
}

func TestWhatNeedsAConnectionIsRefused(t *testing.T) {
	got := runStored(t.Context(), t, 1<<10, func(c *gin.Context) {
		_, _, err := c.Writer.Hijack()
		assert.ErrorIs(t, err, http.ErrNotSupported)
		assert.Nil(t, c.Writer.Pusher())
		assert.ErrorIs(t, http.NewResponseController(c.Writer).SetWriteDeadline(time.Time{}), http.ErrNotSupported)
		_, _, err = http.NewResponseController(c.Writer).Hijack()
		assert.ErrorIs(t, err, http.ErrNotSupported)
		assert.False(t, c.Writer.Written(), "a refused Hijack writes nothing")
		c.AbortWithStatusJSON(http.StatusInternalServerError, gin.H{"error": "no connection"})
	})
	require.Equal(t, http.StatusInternalServerError, got.status)
	require.JSONEq(t, `{"error":"no connection"}`, string(got.body))
}

func TestAHandlerCannotSwitchProtocols(t *testing.T) {
	got := runStored(t.Context(), t, 1<<10, func(c *gin.Context) {
		c.Status(http.StatusSwitchingProtocols)
		c.Writer.WriteHeaderNow()
	})
	require.Equal(t, http.StatusOK, got.status)
	require.Empty(t, got.body)
}

func TestABodyShorterThanDeclaredIsNoted(t *testing.T) {
	declare := func(status, length int, body ...string) gin.HandlerFunc {
		return func(c *gin.Context) {
			c.Header("Content-Length", strconv.Itoa(length))
			c.Status(status)
			c.Writer.WriteHeaderNow()
			for _, part := range body {
				_, _ = c.Writer.WriteString(part)
			}
		}
	}
	broken := func(c *gin.Context) {
		c.DataFromReader(http.StatusOK, 100, "text/plain", iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("xyz"))), nil)
	}
	for name, test := range map[string]struct {
		method  string
		handler gin.HandlerFunc
		short   bool
	}{
		"when its source dies":                  {http.MethodPost, broken, true},
		"when nothing is written":               {http.MethodPost, declare(200, 1), true},
		"when the rest was refused as too long": {http.MethodPost, declare(200, 3, "ab", "cd"), true},
		"but not when it is complete":           {http.MethodPost, declare(200, 2, "ab"), false},
		"but not when more was refused":         {http.MethodPost, declare(200, 2, "ab", "c"), false},
		"but not when none is declared":         {http.MethodPost, func(*gin.Context) {}, false},
		"but not in the answer to HEAD":         {http.MethodHead, declare(200, 10, "ab"), false},
		"but not where none is allowed":         {http.MethodPost, declare(304, 10), false},
	} {
		t.Run(name, func(t *testing.T) {
			replay := newReplayEngine(gin.New())
			replay.add(test.method, "/", test.handler)
			got := replay.run(t.Context(), test.method, "/", storedRequest(t, rawRequest(test.method+" /", "")), 1<<10, nil)
			require.Equal(t, test.short, got.short)
			require.False(t, got.tooLarge)
		})
	}
}

func TestAPanicGoesOnToTheCaller(t *testing.T) {
	require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() {
		runStored(t.Context(), t, 1, func(*gin.Context) { panic(http.ErrAbortHandler) })
	})
	for _, code := range []int{1, 99, 1000} {
		require.Panics(t, func() {
			runStored(t.Context(), t, 1, func(c *gin.Context) { serverWriter(c.Writer).WriteHeader(code) })
		}, "as net/http does for status %d", code)
	}
}

func TestWritingWhereNoBodyIsAllowedIsAnError(t *testing.T) {
	for _, status := range []int{http.StatusNoContent, http.StatusNotModified} {
		got := runStored(t.Context(), t, 1<<10, func(c *gin.Context) {
			c.Status(status)
			_, err := c.Writer.Write([]byte("x"))
			assert.ErrorIs(t, err, http.ErrBodyNotAllowed)
		})
		require.Equal(t, status, got.status)
		require.Empty(t, got.body)
	}
}

func TestAResponseOverTheLimitIsDroppedAndItsHandlerStopped(t *testing.T) {
	t.Run("exactly the limit is kept", func(t *testing.T) {
		got := runStored(t.Context(), t, 4, func(c *gin.Context) { c.String(200, "1234") })
		require.False(t, got.tooLarge)
		require.Equal(t, "1234", string(got.body))
	})
	t.Run("one byte more is not", func(t *testing.T) {
		got := runStored(t.Context(), t, 4, func(c *gin.Context) {
			_, err := c.Writer.WriteString("1234")
			assert.NoError(t, err)
			_, err = c.Writer.Write([]byte("5"))
			assert.ErrorIs(t, err, errResultTooLarge)
			<-c.Done()
			assert.ErrorIs(t, context.Cause(c.Request.Context()), errResultTooLarge)
			_, err = c.Writer.WriteString("6")
			assert.ErrorIs(t, err, errResultTooLarge)
		})
		require.True(t, got.tooLarge)
		require.Empty(t, got.body)
	})
	t.Run("so are headers as large as allowed", func(t *testing.T) {
		got := runStored(t.Context(), t, 4, func(c *gin.Context) {
			c.Header("X-Large", strings.Repeat("x", maxHeader-len("X-Large: \r\n")))
			c.Status(http.StatusNoContent)
		})
		require.False(t, got.tooLarge)
	})
	t.Run("headers that are larger are not", func(t *testing.T) {
		got := runStored(t.Context(), t, 4, func(c *gin.Context) {
			for range 2 {
				c.Writer.Header().Add("X-Large", strings.Repeat("x", maxHeader/2))
			}
			_, err := c.Writer.WriteString("1")
			if !assert.ErrorIs(t, err, errResultTooLarge) {
				return
			}
			<-c.Done()
			assert.ErrorIs(t, context.Cause(c.Request.Context()), errResultTooLarge)
		})
		require.True(t, got.tooLarge)
		require.Empty(t, got.body)
	})
	t.Run("a stream without end stops", func(t *testing.T) {
		got := runStored(t.Context(), t, 1<<10, func(c *gin.Context) {
			assert.True(t, c.Stream(func(w io.Writer) bool {
				_, _ = w.Write(bytes.Repeat([]byte{'x'}, 100))
				return true
			}))
		})
		require.True(t, got.tooLarge)
	})
}

func TestAStreamStopsWhenTheAttemptEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		got := runStored(ctx, t, 1<<20, func(c *gin.Context) {
			for range 2 { // the end is told to every stream, not to the first only
				assert.True(t, c.Stream(func(w io.Writer) bool {
					_, _ = io.WriteString(w, ".")
					time.Sleep(time.Second)
					return true
				}))
			}
		})
		require.InDelta(t, time.Minute, time.Since(start), float64(time.Second))
		require.GreaterOrEqual(t, len(got.body), 59)
	})
}

func TestAHEADResponseHasTheHeadersOfItsBodyOnly(t *testing.T) {
	route := handle(func(c *gin.Context) {
		_, _ = c.Writer.WriteString(strings.Repeat("<html>", 200))
		_, _ = c.Writer.WriteString("more")
	})
	route.method, route.path = http.MethodHead, "/"
	replay := newReplayEngine(gin.New())
	replay.add(route.method, route.path, route.handlers...)
	got := replay.run(t.Context(), route.method, route.path, storedRequest(t, rawRequest("HEAD /", "")), 10, nil)
	require.False(t, got.tooLarge)
	require.Empty(t, got.body)
	require.Equal(t, "text/html; charset=utf-8", got.header.Get("Content-Type"))
}
