package client

import (
	"net/http"
	"time"
)

// defaultWait is the longest that servers of this kind wait unless told otherwise.
const defaultWait = 30 * time.Second

// Option sets up a [Transport].
type Option func(*Transport)

// WithBase sends all requests, polls too, through base. A base that adds credentials
// adds them to both. Its ResponseHeaderTimeout, if it has one, should be above that of
// [WithWait]; below it polls become shorter until they fit. Default, also for nil:
// http.DefaultTransport.
func WithBase(base http.RoundTripper) Option {
	return func(t *Transport) { t.base = base }
}

// WithWait asks the server to keep a poll open until the job is over or d has passed,
// in whole seconds. The server may wait less, by default 30 s at most. Below a second
// there is no long poll: the job is asked for as often as Retry-After says. Default: 30 s.
func WithWait(d time.Duration) Option {
	return func(t *Transport) {
		t.wait = d.Truncate(time.Second)
		if t.wait <= 0 {
			t.wait = -1
		}
	}
}

// WithCancel cancels the job when the request's context ends before there is a
// response, as its handler's context would be done on a synchronous route. RoundTrip
// returns when the server has been told, three seconds later at the latest. Whether it
// was told cannot be relied on, and a job whose 202 has not come yet cannot be
// canceled. Default: the job goes on.
func WithCancel() Option {
	return func(t *Transport) { t.cancels = true }
}

// WithProgress calls report with the status document of the request's job: when the job
// is accepted, when the document has changed, and when it is over. Changes that follow
// each other within a fifth of a second are reported as one. It is called before the
// request returns, by the goroutine that sent it, which waits meanwhile; so requests
// that run at once call it at once. It takes one more request for each change. Default,
// also for nil: nothing is reported.
func WithProgress(report func(Status)) Option {
	return func(t *Transport) { t.progress = report }
}

// WithIdempotencyKeys gives each request but GET, HEAD, OPTIONS and TRACE a random
// Idempotency-Key, if it has none, and sends it again, four times in all within some
// three seconds, when the connection fails before there was an answer: the key makes
// the server answer with the job that it may have stored already. The body must be
// empty or the request have GetBody, as with http.NewRequest and a bytes.Reader,
// bytes.Buffer or strings.Reader; else it is sent once. Use it for servers that
// understand the key on all routes called: others run a repeated request again.
// Default: no keys, and a request is sent once.
func WithIdempotencyKeys() Option {
	return func(t *Transport) { t.keys = true }
}

// longPoll is how long polls wait; 0 for those that do not.
func (t *Transport) longPoll() time.Duration {
	switch {
	case t.wait == 0:
		return defaultWait
	case t.wait < 0:
		return 0
	default:
		return t.wait
	}
}
