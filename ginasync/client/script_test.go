package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync/client"
)

// script is a base transport that answers by a list, the last entry again and again.
type script struct {
	replies []reply

	mu   sync.Mutex
	sent []sent
}

// sent is a request, and when it came.
type sent struct {
	*http.Request
	at   time.Time
	body string
}

// reply is one entry of a script.
type reply struct {
	status int
	header []string // names and values in turn
	body   string
	stream io.ReadCloser // instead of body
	delay  time.Duration
	err    error // instead of all else
}

func says(status int, body string, header ...string) reply {
	return reply{status: status, body: body, header: header}
}

func breaks(err error) reply { return reply{err: err} }

// after lets time pass before the reply, unless the client goes away.
func (r reply) after(d time.Duration) reply {
	r.delay = d
	return r
}

// response is a new one each time.
func (r reply) response() *http.Response {
	header := make(http.Header)
	for i := 0; i < len(r.header); i += 2 {
		header.Set(r.header[i], r.header[i+1])
	}
	body := r.stream
	if body == nil {
		body = io.NopCloser(strings.NewReader(r.body))
	}
	return &http.Response{StatusCode: r.status, Header: header, Body: body}
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	s.mu.Lock()
	next := s.replies[min(len(s.sent), len(s.replies)-1)]
	s.sent = append(s.sent, sent{req, time.Now(), string(body)})
	s.mu.Unlock()
	if next.delay > 0 {
		select {
		case <-time.After(next.delay):
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
	}
	if next.err != nil {
		return nil, next.err
	}
	resp := next.response()
	resp.Request = req
	return resp, nil
}

// pauses are the times between the requests.
func (s *script) pauses() (list []time.Duration) {
	for i := 1; i < len(s.sent); i++ {
		list = append(list, s.sent[i].at.Sub(s.sent[i-1].at))
	}
	return list
}

const documentFormat = `{"id":"j1","state":%q,"done":%t,"version":%d,"links":{"self":"/jobs/j1","result":"/jobs/j1/result","cancel":"/jobs/j1/cancel"}}`

func document(state string, done bool, version int) string {
	return fmt.Sprintf(documentFormat, state, done, version)
}

func accepts(body string) reply {
	return says(http.StatusAccepted, body, "Content-Type", "application/json; charset=utf-8",
		"Location", "/jobs/j1", "Content-Location", "/jobs/j1", "Retry-After", "1")
}

var (
	accepted   = accepts(document("queued", false, 1))
	unfinished = says(http.StatusConflict, `{"type":"https://github.com/asyncendpoints/gin-async#job-not-finished","title":"Job not finished"}`,
		"Content-Type", "application/problem+json", "Retry-After", "0", "Preference-Applied", "wait=30")
	finished = says(http.StatusOK, "done", "AsyncResult", "200")
)

// play sends a POST through the script, in a bubble where time passes when all wait.
func play(t *testing.T, s *script, test func(t *testing.T, resp *http.Response, err error), opts ...client.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &http.Client{Transport: client.New(append([]client.Option{client.WithBase(s)}, opts...)...), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := c.Do(request(t, http.MethodPost, "http://api.test/async?x=1", "a body"))
		if err == nil {
			defer func() { _ = resp.Body.Close() }()
		}
		test(t, resp, err)
	})
}
