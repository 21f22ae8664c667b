package ginasync

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// stored is a stored request made ready to run, once.
type stored struct {
	request *http.Request // without the context that it will run in
	params  gin.Params
	keys    []capturedKey
	url     string // what WithURL made of it at submission
}

// decodeSnapshot makes a request of what capture wrote. The request's body reads
// from the slice, which must not be changed until the request has run. Errors
// wrap errWire, or errSealed when one of both is sealed; nothing makes it panic.
func decodeSnapshot(request, envelope []byte) (*stored, error) {
	if isSealed(request) || isSealed(envelope) {
		return nil, errSealed
	}
	line, fields, body, err := cutMessage(request)
	if err != nil {
		return nil, err
	}
	r, err := parseRequestLine(line)
	if err != nil {
		return nil, err
	}
	if err := setHeader(r, fields, int64(len(body))); err != nil {
		return nil, err
	}
	e, err := decodeEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	setBody(r, body)
	e.restore(r)
	// The capacity is cut off so that c.AddParam cannot write into what is stored.
	return &stored{request: r, params: slices.Clip(e.params), keys: e.keys, url: e.public}, nil
}

// parseRequestLine makes a request of "POST /reports/2026?lang=en HTTP/1.1".
func parseRequestLine(line string) (*http.Request, error) {
	method, rest, _ := strings.Cut(line, " ")
	target, proto, _ := strings.Cut(rest, " ")
	if !isToken(method) || proto != protoDefault {
		return nil, fmt.Errorf("%w: request line %.40q", errWire, line)
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, fmt.Errorf("%w: request line: %w", errWire, err)
	}
	return &http.Request{
		Method: method, URL: u, RequestURI: target,
		Proto: protoDefault, ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// setHeader takes Host out of the headers, as net/http does: the one of an
// absolute target goes before it.
func setHeader(r *http.Request, fields string, bodyLength int64) error {
	h, err := parseFields(fields)
	if err != nil {
		return err
	}
	declared, err := contentLength(h)
	if err != nil {
		return err
	}
	if declared != bodyLength {
		return fmt.Errorf("%w: %d bytes of body, Content-Length says %d", errWire, bodyLength, declared)
	}
	r.Header = h
	r.Host = r.URL.Host
	if r.Host == "" {
		r.Host = h.Get("Host")
	}
	delete(h, "Host")
	dropConditions(h)
	return nil
}

// dropConditions removes the headers that would turn a result into a part of it, or
// into a 304 or 412 without it, or into something that only this client decodes: who
// fetches it may be another.
func dropConditions(h http.Header) {
	for _, name := range [...]string{
		"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Accept-Encoding",
	} {
		delete(h, name)
	}
}

// setBody makes body the request's, as often as GetBody is called.
func setBody(r *http.Request, body []byte) {
	r.Body = newBody(body)
	r.GetBody = func() (io.ReadCloser, error) { return newBody(body), nil }
	r.ContentLength = int64(len(body))
}

// restore puts back into r what the envelope says.
func (e *envelope) restore(r *http.Request) {
	r.RemoteAddr = e.address()
	r.TLS = e.tls
	r.Trailer = e.trailer
	if major, minor, ok := http.ParseHTTPVersion(e.proto); ok {
		r.Proto, r.ProtoMajor, r.ProtoMinor = e.proto, major, minor
	}
	if e.requestURI != "" {
		r.RequestURI = e.requestURI
	}
	if e.url != nil {
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery = e.url.Path, e.url.RawPath, e.url.RawQuery
	}
}

// address is the remote address of the replayed request: the client's, so that
// c.ClientIP, which trusts no proxy in the worker, says what it said at
// submission.
func (e *envelope) address() string {
	if e.clientIP == "" {
		return e.remoteAddr
	}
	host, port, err := net.SplitHostPort(e.remoteAddr)
	if err != nil {
		port = "0" // a unix socket has none
	} else if host == e.clientIP {
		return e.remoteAddr
	}
	return net.JoinHostPort(e.clientIP, port)
}
