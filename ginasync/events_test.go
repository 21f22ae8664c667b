package ginasync_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// event is one block of a stream: an event, a comment or a time to reconnect.
type event struct {
	id, data, retry string
	comment         bool
}

func (e event) status(t *testing.T) ginasync.Status {
	t.Helper()
	var s ginasync.Status
	require.NoError(t, json.Unmarshal([]byte(e.data), &s), "%+v", e)
	assert.Equal(t, e.id, strconv.FormatInt(s.Version, 10))
	return s
}

// eventSource reads a stream block by block.
type eventSource struct {
	*http.Response
	t     *testing.T
	lines *bufio.Reader
}

// events opens the stream of a job. It is closed when the test ends.
func (b *bubble) events(id string, header ...string) *eventSource {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url+"/jobs/"+id+"/events", http.NoBody)
	require.NoError(b.t, err)
	req.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := b.client.Do(req)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = resp.Body.Close() })
	return &eventSource{resp, b.t, bufio.NewReader(resp.Body)}
}

// block returns the next block; false at the end of the stream.
func (s *eventSource) block() (e event, more bool) {
	s.t.Helper()
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			require.ErrorIs(s.t, err, io.EOF, "the stream ends in order")
			require.Empty(s.t, line)
			return event{}, false
		}
		name, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "\n":
			return e, true
		case !found:
			require.Fail(s.t, "not a field", "%q", line)
		case name == "":
			e.comment = true
		case name == "id":
			e.id = value
		case name == "data":
			e.data = value
		case name == "retry":
			e.retry = value
		default:
			require.Fail(s.t, "unknown field", "%q", line)
		}
	}
}

// next returns the next event; false at the end of the stream.
func (s *eventSource) next() (event, bool) {
	s.t.Helper()
	for {
		if e, more := s.block(); !more || e.data != "" {
			return e, more
		}
	}
}

func (s *eventSource) status() ginasync.Status {
	s.t.Helper()
	e, more := s.next()
	require.True(s.t, more, "there is another event")
	return e.status(s.t)
}

func (s *eventSource) ends() {
	s.t.Helper()
	e, more := s.next()
	assert.False(s.t, more, "%+v", e)
}

func TestEvents(t *testing.T) {
	inBubble(t, "show the job as it is, then each change, then end", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		synctest.Wait()
		start := time.Now()
		stream := b.events(id)
		assert.Equal(t, http.StatusOK, stream.StatusCode)
		assert.Equal(t, "text/event-stream", stream.Header.Get("Content-Type"))
		assert.Equal(t, "no-store, no-transform", stream.Header.Get("Cache-Control"))
		assert.Equal(t, "no", stream.Header.Get("X-Accel-Buffering"))
		assert.Equal(t, "Prefer", stream.Header.Get("Vary"))
		first, _ := stream.block()
		assert.Regexp(t, `^2\d\d\d$`, first.retry, "in milliseconds")
		status := stream.status()
		assert.Equal(t, store.InProgress, status.State)
		assert.Equal(t, "/jobs/"+id+"/events", status.Links.Events)
		assert.Zero(t, time.Since(start), "the present state comes at once")
		status = stream.status()
		assert.Equal(t, "on the way", status.Progress.Message)
		assert.Equal(t, 25*time.Second, time.Since(start))
		status = stream.status()
		assert.Equal(t, store.Completed, status.State)
		assert.True(t, status.Done)
		assert.Empty(t, status.Links.Events)
		assert.Equal(t, time.Minute, time.Since(start))
		stream.ends()
	})

	inBubble(t, "resume after the one that the client has, and end for good after the last", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		synctest.Wait()
		first, _ := b.events(id).next()
		other := b.replica()
		stream := other.events(id, "Last-Event-ID", first.id)
		status := stream.status()
		assert.Equal(t, "on the way", status.Progress.Message, "the known state does not come again")
		time.Sleep(time.Minute)
		stream = b.events(id, "Last-Event-ID", first.id)
		last, _ := stream.next()
		assert.True(t, last.status(t).Done, "what came between is the newest state")
		stream.ends()
		for _, id := range []string{last.id, "9223372036854775807"} {
			got := other.events(b.only(), "Last-Event-ID", id)
			assert.Equal(t, http.StatusNoContent, got.StatusCode)
			assert.Equal(t, "no-store, no-transform", got.Header.Get("Cache-Control"))
		}
	})

	inBubble(t, "begin anew after an id that never was", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		synctest.Wait()
		for _, has := range []string{"", "x", "-1", "+2", "2.0", "99", "18446744073709551616", "0x2", " "} {
			assert.EqualValues(t, 2, b.events(id, "Last-Event-ID", has).status().Version, "%q", has)
		}
	})

	inBubble(t, "have a heartbeat every 15 s", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		stream := b.events(id)
		stream.status()
		start := time.Now()
		beats := 0
		for e, more := stream.block(); more; e, more = stream.block() {
			if e.comment {
				beats++
			}
			assert.LessOrEqual(t, time.Since(start), 15*time.Second, "%+v", e)
			start = time.Now()
		}
		assert.Equal(t, 3, beats) // at 15 s, and 15 and 30 s after the progress
	})

	inBubble(t, "outlast the timeouts of the server", slow, func(t *testing.T, b *bubble) {
		b.serve(func(s *http.Server) { s.WriteTimeout, s.ReadTimeout = time.Second, time.Second })
		id := b.submit("/slow", "")
		synctest.Wait()
		stream := b.events(id)
		for _, done := range []bool{false, false, true} {
			assert.Equal(t, done, stream.status().Done)
		}
		stream.ends()
	})

	inBubble(t, "outlast them on HTTP/2 too", slow, func(t *testing.T, b *bubble) {
		var h2 http.Protocols
		h2.SetUnencryptedHTTP2(true)
		b.serve(func(s *http.Server) { s.WriteTimeout, s.ReadTimeout, s.Protocols = time.Second, time.Second, &h2 })
		b.client.Transport.(*http.Transport).Protocols = &h2
		id := b.submit("/slow", "")
		synctest.Wait()
		stream := b.events(id)
		assert.Equal(t, 2, stream.ProtoMajor)
		for _, done := range []bool{false, false, true} {
			assert.Equal(t, done, stream.status().Done)
		}
		stream.ends()
		b.client.CloseIdleConnections()
	})

	inBubble(t, "end in order before the server's timeout when a middleware hides the connection", func(r *gin.Engine) {
		r.Use(func(c *gin.Context) { c.Writer = hiding{c.Writer} })
		slow(r)
	}, func(t *testing.T, b *bubble) {
		b.serve(func(s *http.Server) { s.WriteTimeout = 30 * time.Second })
		id := b.submit("/slow", "")
		synctest.Wait()
		start := time.Now()
		stream := b.events(id)
		assert.Equal(t, store.InProgress, stream.status().State)
		stream.ends()
		assert.Equal(t, 15*time.Second, time.Since(start))
	})

	inBubble(t, "give a client that reads slowly the newest state, not all of them", func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(func(c *gin.Context) {
			for i := range 100 {
				wait(c, time.Second)
				_ = ginasync.Progress(c, float64(i), strings.Repeat("x", 100))
			}
		}))
	}, func(t *testing.T, b *bubble) {
		id := b.submit("/x", "")
		synctest.Wait()
		stream := b.events(id)
		stream.status()
		time.Sleep(8500 * time.Millisecond) // the network of a bubble has no room for what is not read
		synctest.Wait()
		stream.status()
		assert.GreaterOrEqual(t, stream.status().Progress.Percent, 6., "those between are gone")
	})

	inBubble(t, "are cut off from a client that does not read at all", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		synctest.Wait()
		stream := b.events(id)
		stream.status()
		time.Sleep(40 * time.Second) // the progress at 25 s finds nobody who reads it
		_, err := io.Copy(io.Discard, stream.lines)
		assert.Error(t, err)
	})

	for name, end := range map[string]func(*bubble) error{
		"the Manager": func(b *bubble) error { return b.jobs.Shutdown(b.t.Context()) },
		"the server":  func(b *bubble) error { return b.server.Shutdown(b.t.Context()) },
	} {
		inBubble(t, "end when "+name+" shuts down", slow, func(t *testing.T, b *bubble) {
			id := b.submit("/slow", "")
			stream := b.events(id)
			assert.Equal(t, store.Queued, stream.status().State)
			start := time.Now()
			ended := make(chan error, 1)
			go func() { ended <- end(b) }()
			stream.ends()
			require.NoError(t, <-ended)
			assert.Less(t, time.Since(start), time.Second)
		}, ginasync.WithoutWorkers())
	}

	inBubble(t, "end when the client goes, and leave the job alone", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		stream := b.events(id)
		stream.status()
		require.NoError(t, stream.Body.Close())
		synctest.Wait()
		assert.Equal(t, http.StatusOK, b.get("/jobs/"+id, "Prefer", "wait=1").StatusCode, "its place is free again")
		assert.Equal(t, "wait=1", b.get("/jobs/"+id, "Prefer", "wait=1").Header.Get("Preference-Applied"))
		time.Sleep(time.Minute)
		assert.Equal(t, store.Completed, b.finish(id).State)
	}, ginasync.WithMaxWatchers(1))

	inBubble(t, "end after the present state when too many watch, and have the client come later", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		synctest.Wait()
		b.events(id).status()
		stream := b.events(id)
		assert.Equal(t, http.StatusOK, stream.StatusCode, "anything else would end an EventSource for good")
		first, _ := stream.block()
		after, err := strconv.Atoi(first.retry)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, after, 8000)
		now, _ := stream.next()
		assert.Equal(t, store.InProgress, now.status(t).State)
		stream.ends()
		b.events(id, "Last-Event-ID", now.id).ends()
		time.Sleep(time.Minute + time.Second)
		assert.True(t, b.events(id, "Last-Event-ID", now.id).status().Done)
	}, ginasync.WithMaxWatchers(1))

	inBubble(t, "end when the job is removed", func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(func(c *gin.Context) { c.Status(http.StatusBadRequest) }, ginasync.Retention(time.Second)))
	}, func(t *testing.T, b *bubble) {
		id := b.submit("/x", "")
		b.finish(id)
		stream := b.events(id)
		assert.Equal(t, store.Failed, stream.status().State)
		stream.ends()
		time.Sleep(2 * time.Second)
		assert.Equal(t, http.StatusNotFound, b.events(id).StatusCode)
	})

	inBubble(t, "are for clients that take them", slow, func(t *testing.T, b *bubble) {
		id := b.submit("/slow", "")
		got := b.get("/jobs/"+id+"/events", "Accept", "application/json")
		assert.Equal(t, http.StatusNotAcceptable, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#not-acceptable")
		for _, accept := range []string{"*/*", "text/*", "application/json, text/event-stream;q=0.5"} {
			head := b.do(http.MethodHead, "/jobs/"+id+"/events", nil, "Accept", accept)
			assert.Equal(t, http.StatusOK, head.StatusCode, accept)
			assert.Equal(t, "text/event-stream", head.Header.Get("Content-Type"), accept)
		}
		assert.Equal(t, http.StatusNotFound, b.get("/jobs/nonsense/events").StatusCode)
	})
}

// replica is another process on the same store.
func (b *bubble) replica() *bubble {
	b.t.Helper()
	r := gin.New()
	slow(r)
	jobs, err := ginasync.New(r, ginasync.WithStore(b.store), ginasync.WithoutWorkers())
	require.NoError(b.t, err)
	jobs.Routes(r.Group("/jobs"))
	require.NoError(b.t, jobs.Start(b.t.Context()))
	b.t.Cleanup(func() { assert.NoError(b.t, jobs.Shutdown(context.Background())) })
	other := &bubble{app: &app{t: b.t, jobs: jobs, store: b.store}, engine: r}
	other.serve(func(*http.Server) {})
	return other
}
