package checklist_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
)

// stream is the event stream of a job as a client reads it.
type stream struct {
	*http.Response
	lines *bufio.Reader
}

// events opens the stream of a job, after the event that the client has, if any.
func (c caller) events(ctx context.Context, id, has string) *stream {
	c.t.Helper()
	req := c.request(ctx, http.MethodGet, "/jobs/"+id+"/events", "", "Accept", "text/event-stream")
	if has != "" {
		req.Header.Set("Last-Event-ID", has)
	}
	resp, err := c.site.client.Do(req)
	require.NoError(c.t, err)
	context.AfterFunc(ctx, func() { _ = resp.Body.Close() })
	return &stream{resp, bufio.NewReader(resp.Body)}
}

// block reads up to the next empty line.
func (s *stream) block() (id string, status ginasync.Status, comment bool, err error) {
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return "", status, false, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		switch {
		case line == "\n":
			return id, status, comment, nil
		case name == "":
			comment = true
		case name == "id":
			id = strings.TrimPrefix(value, " ")
		case name == "data":
			if err := json.Unmarshal([]byte(value), &status); err != nil {
				return "", status, false, err
			}
		}
	}
}

// next reads the next event; io.EOF: the stream has ended in order.
func (s *stream) next() (id string, status ginasync.Status, err error) {
	for id == "" && err == nil {
		id, status, _, err = s.block()
	}
	return id, status, err
}

func (s *stream) mustNext(t *testing.T) (string, ginasync.Status) {
	t.Helper()
	id, status, err := s.next()
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprint(status.Version), id)
	return id, status
}

func (s *stream) ends(t *testing.T) {
	t.Helper()
	_, status, err := s.next()
	require.ErrorIs(t, err, io.EOF, "%+v", status)
}

// streams is a heartbeat's check, too: its stream has begun with the tests.
func streams(t *testing.T, s *site) {
	resumes(t, s)
	endsWithItsProcess(t, s)
	beat := <-s.slow.beat
	require.NoError(t, beat.err)
	assert.Greater(t, beat.after, writeTimeout)
	assert.Less(t, beat.after, 16*time.Second)
	s.slow.beating.tell(t, "end")
	_, status := beat.stream.mustNext(t)
	assert.True(t, status.Done)
	beat.stream.ends(t)
}

func resumes(t *testing.T, s *site) {
	here, there := s.clients(t)
	held := here.hold("/held")
	held.isRunning(t)
	ctx, cut := contextOf(t)
	first := there.events(ctx, held.id, "")
	assert.Equal(t, "text/event-stream", first.Header.Get("Content-Type"))
	snapshot, status := first.mustNext(t)
	assert.Nil(t, status.Progress)
	held.tell(t, "half")
	progress, status := first.mustNext(t)
	assert.EqualValues(t, 50, status.Progress.Percent)
	cut()

	ctx, cut = contextOf(t)
	id, _ := here.events(ctx, held.id, snapshot).mustNext(t)
	assert.Equal(t, progress, id, "what it has seen does not come again")
	cut()
	second := here.events(t.Context(), held.id, progress)
	held.tell(t, "end")
	last, status := second.mustNext(t)
	assert.True(t, status.Done)
	assert.NotEqual(t, progress, last)
	second.ends(t)
	for _, c := range []caller{here, there} {
		assert.Equal(t, http.StatusNoContent, c.events(t.Context(), held.id, last).StatusCode)
		assert.Equal(t, http.StatusOK, c.events(t.Context(), held.id, "nonsense").StatusCode)
	}
}

func endsWithItsProcess(t *testing.T, s *site) {
	s = s.another(t, false, false)
	here, there := s.clients(t)
	held := here.hold("/held")
	held.isRunning(t)
	open := there.events(t.Context(), held.id, "")
	seen, _ := open.mustNext(t)
	began := time.Now()
	s.shows.stop()
	open.ends(t)
	assert.Less(t, time.Since(began), 5*time.Second, "it does not hold up the end")
	if s.accepts != s.shows {
		resumed := here.events(t.Context(), held.id, seen)
		held.tell(t, "end") // a job that runs may finish
		_, status := resumed.mustNext(t)
		assert.True(t, status.Done)
		resumed.ends(t)
		assert.Equal(t, http.StatusCreated, here.get("/jobs/"+held.id+"/result").StatusCode)
	} else {
		held.tell(t, "end")
	}
	s.shows.endWell(t)
}

// slow has begun before the checks: it takes its time whatever they do.
type slow struct {
	beating heldJob
	beat    chan beat
	repeat  string // the job whose message comes twice
	owner   string
}

type beat struct {
	stream *stream
	after  time.Duration // the last event
	err    error
}

// begin starts what takes long.
func (s *site) begin(t *testing.T) {
	t.Helper()
	here, there := s.clients(t)
	s.slow.beating, s.slow.beat = here.hold("/held"), make(chan beat, 1)
	s.slow.beating.isRunning(t)
	open := there.events(t.Context(), s.slow.beating.id, "")
	open.mustNext(t)
	began := time.Now()
	go func() {
		id, _, comment, err := open.block()
		if err == nil && !comment {
			err = errors.New("not a comment: " + id)
		}
		s.slow.beat <- beat{open, time.Since(began), err}
	}()

	told := here.hold("/told")
	s.hook.refuseOnce(told.id)
	told.tell(t, "end")
	s.slow.repeat, s.slow.owner = told.id, here.user
}
