package ginasync_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
)

// endsWithin is ends for a stream that might go on for ever.
func (s *eventSource) endsWithin(d time.Duration) {
	s.t.Helper()
	cut := time.AfterFunc(d, func() { _ = s.Body.Close() })
	defer cut.Stop()
	for more := true; more; {
		line, err := s.lines.ReadString('\n')
		require.True(s.t, err == nil || line == "" && errors.Is(err, io.EOF), "%q, %v", line, err)
		more = err == nil
	}
}

// TestEventsOfATakenConnectionEnd: net/http looks after a connection that it has given
// away no more.
func TestEventsOfATakenConnectionEnd(t *testing.T) {
	inBubble(t, "with the context that the server has given its requests", slow, func(t *testing.T, b *bubble) {
		ctx, end := context.WithCancel(t.Context())
		b.serve(func(s *http.Server) { s.BaseContext = func(net.Listener) context.Context { return ctx } })
		stream := b.events(b.submit("/slow", ""))
		stream.status()
		synctest.Wait()
		start := time.Now()
		end()
		stream.endsWithin(time.Minute)
		assert.Zero(t, time.Since(start))
		synctest.Wait()
		assert.Zero(t, b.jobs.Watchers())
	}, ginasync.WithoutWorkers())

	inBubble(t, "with the time that a middleware gives each request", func(r *gin.Engine) {
		r.Use(func(c *gin.Context) {
			ctx, cancel := context.WithTimeout(c.Request.Context(), 20*time.Second)
			defer cancel()
			c.Request = c.Request.WithContext(ctx)
			c.Next()
		})
		slow(r)
	}, func(t *testing.T, b *bubble) {
		start := time.Now()
		stream := b.events(b.submit("/slow", ""))
		stream.status()
		stream.endsWithin(time.Minute)
		assert.Equal(t, 20*time.Second, time.Since(start))
	}, ginasync.WithoutWorkers())

	inBubble(t, "before the Manager's shutdown does", slow, func(t *testing.T, b *bubble) {
		stream := b.events(b.submit("/slow", ""))
		stream.status()
		go stream.endsWithin(time.Minute)
		synctest.Wait()
		start := time.Now()
		require.NoError(t, b.jobs.Shutdown(t.Context()))
		assert.Zero(t, b.jobs.Watchers())
		assert.Zero(t, time.Since(start))
	}, ginasync.WithoutWorkers())

	inBubble(t, "and hold that up for some seconds at most when the client does not read", slow, func(t *testing.T, b *bubble) {
		b.events(b.submit("/slow", "")).status()
		synctest.Wait()
		start := time.Now()
		require.NoError(t, b.jobs.Shutdown(t.Context()))
		assert.Equal(t, 5*time.Second, time.Since(start))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Zero(t, b.jobs.Watchers(), "it was cut off")
	}, ginasync.WithoutWorkers())

	var broken atomic.Bool
	inBubble(t, "when what makes URLs panics", func(r *gin.Engine) {
		r.Use(gin.RecoveryWithWriter(io.Discard))
		slow(r)
	}, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		synctest.Wait()
		stream := b.events(id)
		stream.status()
		synctest.Wait()
		broken.Store(true)
		stream.endsWithin(30 * time.Second) // there is progress
		synctest.Wait()
		assert.Zero(t, b.jobs.Watchers())
		broken.Store(false)
	}, ginasync.WithURL(func(_ *gin.Context, path string) string {
		if broken.Load() {
			panic("no URLs today")
		}
		return path
	}))

	t.Run("for a client that sends without an end", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		a := newApp(t, quick(release))
		id := a.submit("/x", "")
		a.awaitState(id, "in_progress")
		conn, resp := stream(t, a, fmt.Sprintf("GET /jobs/%s/events HTTP/1.1\r\nHost: x\r\n\r\n", id))
		defer func() { _ = resp.Body.Close() }()
		var err error
		for range 1000 {
			if _, err = conn.Write(bytes.Repeat([]byte{'x'}, 64<<10)); err != nil {
				break
			}
		}
		require.Error(t, err, "64 MB are more than anybody has to say")
		require.Eventually(t, func() bool { return a.jobs.Watchers() == 0 }, patience, time.Millisecond)
	})
}

func TestEventsTellThatTheConnectionIsNotUsedAgain(t *testing.T) {
	inBubble(t, "when they take it", slow, func(t *testing.T, b *bubble) {
		b.client.Transport.(*http.Transport).DisableKeepAlives = false
		stream := b.events(b.submit("/slow", ""))
		assert.True(t, stream.Close)
		b.client.CloseIdleConnections()
	}, ginasync.WithoutWorkers())

	inBubble(t, "and not when net/http keeps it", func(r *gin.Engine) {
		r.Use(func(c *gin.Context) { c.Writer = hiding{c.Writer} })
		slow(r)
	}, func(t *testing.T, b *bubble) {
		b.client.Transport.(*http.Transport).DisableKeepAlives = false
		stream := b.events(b.submit("/slow", ""))
		assert.False(t, stream.Close)
		require.NoError(t, stream.Body.Close())
		b.client.CloseIdleConnections()
	}, ginasync.WithoutWorkers())
}
