package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// pollGrace is how much longer than the wait it asked for a poll may take.
const pollGrace = 30 * time.Second

// polled is the answer to a poll.
type polled struct {
	*http.Response
	took   time.Duration
	timer  *time.Timer // ends the poll when it takes too long
	cancel context.CancelCauseFunc
}

// poll sends a request for a job and returns when the header of the answer is there.
// Errors: that of the base transport, errSilent, and why the request's context is done.
// The answer has to be given to take or final.
func (j *job) poll(u *url.URL, set func(http.Header)) (*polled, error) {
	ctx, cancel := context.WithCancelCause(j.req.Context())
	p := &polled{cancel: cancel, timer: time.AfterFunc(j.wait+pollGrace, func() { cancel(errSilent) })}
	start := time.Now()
	req := j.request(ctx, http.MethodGet, u)
	if j.wait > 0 {
		req.Header.Set("Prefer", "wait="+strconv.Itoa(int(j.wait/time.Second)))
	}
	set(req.Header)
	resp, err := j.transport.roundTripper().RoundTrip(req)
	p.took = time.Since(start)
	if err != nil {
		p.timer.Stop()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		cancel(nil)
		return p, err
	}
	p.Response = resp
	return p, nil
}

// request makes a request of the job that the server takes for the caller's.
func (j *job) request(ctx context.Context, method string, u *url.URL) *http.Request {
	req := (&http.Request{
		Method: method, URL: u, Host: j.req.Host, Header: make(http.Header, len(j.req.Header)+2),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
	}).WithContext(ctx)
	for name, values := range j.req.Header {
		if !isForRequestOnly(name) {
			req.Header[name] = values[:len(values):len(values)]
		}
	}
	return req
}

// isForRequestOnly reports whether a header speaks of its request alone: of its content,
// how it is sent, what of it is wanted, and its method, which it might make another one
// of a poll too.
func isForRequestOnly(name string) bool {
	name = http.CanonicalHeaderKey(name)
	switch name {
	case "Connection", "Expect", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"Idempotency-Key", "Prefer", "Range", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override":
		return true
	default:
		return strings.HasPrefix(name, "Content-") || strings.HasPrefix(name, "If-")
	}
}

// take reads and ends the answer. What is longer than a document may be is cut.
func (p *polled) take() ([]byte, error) {
	defer p.cancel(nil)
	defer p.timer.Stop()
	body, err := io.ReadAll(io.LimitReader(p.Body, maxDocument))
	_ = p.Body.Close()
	return body, err
}

// final returns the answer for the caller to read, who may take any time for it.
func (p *polled) final() (*http.Response, error) {
	if !p.timer.Stop() {
		_ = p.Body.Close()
		p.cancel(nil)
		return nil, errSilent
	}
	p.Body = &finalBody{p.Body, p.cancel}
	return p.Response, nil
}

// finalBody frees what its request holds once it is closed.
type finalBody struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (b *finalBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}
