package client

import (
	"net/http"
	"time"
)

// Transport is an http.RoundTripper that returns, in place of a 202 of package
// ginasync, what the handler of the route answered; see the package comment. It is safe
// for concurrent use, starts no goroutine that outlives a request, and its zero value is
// ready to use.
type Transport struct {
	base     http.RoundTripper // nil: http.DefaultTransport
	wait     time.Duration     // of a long poll; 0: defaultWait, below: none
	cancels  bool
	keys     bool
	progress func(Status) // nil: none
}

var _ http.RoundTripper = (*Transport)(nil)

// New returns a Transport.
func New(opts ...Option) *Transport {
	t := &Transport{}
	for _, opt := range opts {
		opt(t)
	}
	return t
}

// RoundTrip sends a request, and follows its job if it becomes one. It returns when
// the header of the final response is there; the body streams from the server. Errors
// are those of the base transport before the request is accepted, and a *JobError after.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, accepted, err := t.submit(req)
	if err != nil || accepted == nil {
		return resp, err
	}
	return t.follow(req, resp, *accepted)
}

// CloseIdleConnections closes those of the base transport. http.Client calls it.
func (t *Transport) CloseIdleConnections() {
	if closer, ok := t.roundTripper().(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

func (t *Transport) roundTripper() http.RoundTripper {
	if t.base == nil {
		return http.DefaultTransport
	}
	return t.base
}

// follow returns the final response of an accepted request.
func (t *Transport) follow(req *http.Request, accepted *http.Response, status Status) (*http.Response, error) {
	j := &job{transport: t, req: req, latest: status, wait: t.longPoll()}
	err := j.locate()
	if err == nil && t.progress != nil {
		err = j.watch()
	}
	var final *http.Response
	if err == nil {
		final, err = j.await()
	}
	if err != nil {
		if t.cancels && req.Context().Err() != nil {
			j.cancel()
		}
		return nil, err
	}
	final.Request = req
	if cookies := accepted.Header["Set-Cookie"]; len(cookies) > 0 {
		// The middleware of the route has set them; the handler's answer never has any.
		final.Header["Set-Cookie"] = append(cookies[:len(cookies):len(cookies)], final.Header["Set-Cookie"]...)
	}
	return final, nil
}
