package outbound

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	// timeout bounds one message, from the lookup of the host to the end of the reply.
	timeout = 20 * time.Second
	// longestReply is how many bytes of a reply are read; all of them are thrown away.
	longestReply = 64 << 10
	userAgent    = "gin-async (+https://github.com/asyncendpoints/gin-async)"
)

// Client sends messages. It knows no cookies and no proxy, not even one that the
// environment names: a proxy would connect to where the guard forbids it. It follows
// no redirects. It is safe for concurrent use.
type Client struct {
	transport *http.Transport
	http      http.Client
}

// NewClient makes a client whose connections pass the guard; nil: they go anywhere.
// change, unless it is nil, may change the transport before it is used.
func NewClient(guard *Guard, change func(*http.Transport)) *Client {
	c := newClient(&net.Dialer{Timeout: timeout / 2}, guard)
	if change != nil {
		change(c.transport)
	}
	return c
}

func newClient(dialer *net.Dialer, guard *Guard) *Client {
	if guard != nil {
		dialer.ControlContext = guard.control
	}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    timeout / 2,
		MaxIdleConns:           32,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: longestReply,
		DisableCompression:     true, // a small reply cannot become a large one
		ForceAttemptHTTP2:      true,
	}
	return &Client{transport, http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Reply is what is kept of the answer to a message.
type Reply struct {
	Status     int
	RetryAfter string // the header
}

// Post sends a body once and waits for the answer, 20 s at most. The error, which does
// not name the URL, says that there was none.
func (c *Client) Post(ctx context.Context, to string, header http.Header, body []byte) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return Reply{}, withoutURL(err)
	}
	request.Header = header
	request.Header.Set("User-Agent", userAgent)
	response, err := c.http.Do(request)
	if err != nil {
		return Reply{}, withoutURL(err)
	}
	defer response.Body.Close()
	// The status is what counts; the rest is read so that the connection can be used again.
	_, _ = io.CopyN(io.Discard, response.Body, longestReply)
	return Reply{Status: response.StatusCode, RetryAfter: response.Header.Get("Retry-After")}, nil
}

// withoutURL takes the URL out of an error: there may be a token in it.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// Close closes the connections that are not in use. The client may be used after it.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
