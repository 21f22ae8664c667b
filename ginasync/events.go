package ginasync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

const (
	eventStream = "text/event-stream"

	// heartbeat is how long a stream is silent at most: proxies cut connections that
	// are silent for a minute.
	heartbeat = 15 * time.Second
	// slowestWrite ends the stream of a client that does not read.
	slowestWrite = 10 * time.Second
	// comeBack is after how long a client reconnects, spread by a half so that those
	// whose server went away do not come together.
	comeBack = 2 * time.Second
	// comeBackLater is the same for a client that found no watcher's place.
	comeBackLater = 8 * time.Second
)

// errNotAcceptable refuses a client that does not take events.
var errNotAcceptable = errors.New("ginasync: client does not accept an event stream")

// showEvents answers GET /:id/events with Server-Sent Events: the status document now
// and after each change, until the job is over. An event's id is the version of the
// document, which every process knows: a client that comes back to any of them tells
// with Last-Event-ID what it has, and is not told that again. When it has the last one
// already, it is told not to come back, by 204.
func (m *Manager) showEvents(c *gin.Context) {
	s := &events{c: c, m: m, controller: http.NewResponseController(c.Writer), id: c.Param("id")}
	if m.watching.enter() {
		defer m.watching.exit()
		s.placed = true
	}
	defer s.end() // after a panic in a function of WithURL, too
	if s.begin() && s.placed {
		s.conn = takeConn(c)
		s.follow()
	}
}

// events is one stream of Server-Sent Events.
type events struct {
	c          *gin.Context
	m          *Manager
	controller *http.ResponseController
	lifetime   time.Duration // as long as the connection may be used
	conn       *streamConn   // nil: net/http has it
	beat       *time.Timer   // for the next heartbeat

	id     string // of the job
	has    int64  // the version that the client has
	placed bool   // there is a watcher's place
}

// begin sends headers and the present state, and reports whether more may follow.
func (s *events) begin() bool {
	job, err := s.m.find(s.c, ActionEvents)
	if err == nil && s.c.NegotiateFormat(eventStream) == "" {
		err = errNotAcceptable
	}
	if err != nil {
		s.m.fail(s.c, err)
		return false
	}
	s.has = lastEventID(s.c.Request.Header)
	s.c.Header("Cache-Control", "no-store, no-transform")
	if over(job) && s.has >= job.Version {
		s.c.Status(http.StatusNoContent)
		return false
	}
	if s.has > job.Version { // this version never was
		s.has = 0
	}
	s.c.Header("Content-Type", eventStream)
	s.c.Header("X-Accel-Buffering", "no") // nginx would hold events back
	s.c.Status(http.StatusOK)
	if s.c.Request.Method == http.MethodHead {
		return false
	}
	if s.placed && mayBeTaken(s.c) != nil {
		s.c.Header("Connection", "close") // or the client might send its next request on it
	}
	// Instead of the server's timeout each write has its own.
	s.lifetime, _ = liftWriteTimeout(s.c, untilDone)
	return s.write(s.comeBack()) == nil && s.send(job)
}

// follow sends each state that is newer than what the client has, or the newest of those
// that came while it did not read. It returns when the job is over or removed, the
// client or the server goes, the request's context is done, or the store fails: but for
// the first two the client will come back and go on where it was.
func (s *events) follow() {
	ctx := s.c.Request.Context()
	until := ends{request: ctx.Done(), server: s.m.endings.of(s.c.Request), life: s.endOfLife()}
	if s.conn != nil { // then net/http does not end the context when the client goes
		until.client = s.conn.gone
	}
	watched, err := s.m.watching.join(ctx, s.id)
	if err != nil {
		return
	}
	defer s.m.watching.part(watched)
	s.beat = time.NewTimer(heartbeat)
	defer s.beat.Stop()
	// It may have changed before anybody watched.
	for more := s.sendStored(ctx); more; {
		more = s.waitOrBeat(watched, &until) && s.sendLatest(watched)
	}
}

// ends are what a stream ends with beside its job. Those that are nil do not come.
type ends struct {
	client, request, server <-chan struct{}
	life                    <-chan time.Time
}

// end ends the response in order.
func (s *events) end() {
	switch {
	case s.conn != nil:
		s.conn.end()
	case s.lifetime > 0:
		s.allowWrite() // net/http ends the response
	}
}

// endOfLife is when the connection may be used no more; nil: never.
func (s *events) endOfLife() <-chan time.Time {
	if s.lifetime == untilDone {
		return nil
	}
	return time.After(s.lifetime)
}

func (s *events) sendStored(ctx context.Context) bool {
	job, err := s.m.Get(ctx, s.id)
	return err == nil && s.send(job)
}

// waitOrBeat waits for a newer state, and sends a heartbeat when none comes for a while.
// It holds no context and no Job while it waits: there may be very many like it.
func (s *events) waitOrBeat(watched *watchedJob, until *ends) bool {
	for {
		changed, newer, removed := watched.news(s.has)
		if removed || newer {
			return newer
		}
		select {
		case <-changed:
		case <-s.beat.C:
			if s.write([]byte(":\n\n")) != nil {
				return false
			}
		case <-until.client:
			return false
		case <-until.request:
			return false
		case <-until.server:
			return false
		case <-until.life:
			return false
		}
	}
}

// send sends the status document of a job, unless the client has it or a newer one, and
// reports whether there may be more.
func (s *events) send(job Job) bool {
	if job.Version <= s.has {
		return !over(job)
	}
	s.has = job.Version
	return s.write(s.event(job)) == nil && !over(job)
}

// sendLatest is send of the newest state there is. The event is made once for all who
// watch, unless URLs depend on who asks.
func (s *events) sendLatest(watched *watchedJob) bool {
	if s.m.cfg.url != nil {
		return s.send(watched.latest())
	}
	event, version, isOver := watched.told(s.event)
	if version <= s.has {
		return !isOver
	}
	s.has = version
	return s.write(event) == nil && !isOver
}

// event is a job as an event. JSON has no line breaks, so it is one line.
func (s *events) event(job Job) []byte {
	document, err := json.Marshal(s.m.statusOf(s.c, job))
	if err != nil { // never so for a Status
		return []byte(":\n\n")
	}
	return fmt.Appendf(nil, "id: %d\ndata: %s\n\n", job.Version, document)
}

// comeBack tells when to come back after the stream has ended.
func (s *events) comeBack() []byte {
	after := comeBack
	if !s.placed {
		after = comeBackLater
	}
	after += rand.N(after / 2)
	return fmt.Appendf(nil, "retry: %d\n\n", after.Milliseconds())
}

// write sends text at once. The deadline is for this write: on HTTP/2 it would end a
// stream that is silent.
func (s *events) write(text []byte) error {
	if s.beat != nil {
		s.beat.Reset(heartbeat)
	}
	if s.conn != nil {
		return s.conn.send(text)
	}
	s.allowWrite()
	_, err := s.c.Writer.Write(text)
	if err == nil {
		err = s.controller.Flush()
	}
	_ = s.controller.SetWriteDeadline(time.Time{})
	return err
}

func (s *events) allowWrite() {
	// Where it is not supported, lifetime is within the server's own timeout.
	_ = s.controller.SetWriteDeadline(time.Now().Add(slowestWrite))
}

// lastEventID returns the version that the client has; 0: none that it says. What is no
// version is none.
func lastEventID(h http.Header) int64 {
	id := h.Get("Last-Event-ID")
	version, err := strconv.ParseUint(id, 10, 63)
	if err != nil {
		return 0
	}
	return int64(version)
}
