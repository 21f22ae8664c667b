package contestant

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// submit sends a request through a handler in this process, as net/http would have read
// it from a connection, and returns the id that the 202 names.
func submit(ctx context.Context, handler http.Handler, body []byte) (string, error) {
	request := bareRequest(len(body)).WithContext(ctx)
	request.Body = io.NopCloser(bytes.NewReader(body))
	answer := answer{header: make(http.Header, 8)}
	handler.ServeHTTP(&answer, request)
	if answer.status != http.StatusAccepted {
		return "", fmt.Errorf("submission was answered %d: %s", answer.status, answer.body)
	}
	location := answer.header.Get("Location")
	return location[strings.LastIndexByte(location, '/')+1:], nil
}

// bareRequest is a request without its body.
func bareRequest(length int) *http.Request {
	values := [...]string{"text/plain", strconv.Itoa(length)}
	return &http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: SubmitPath}, RequestURI: SubmitPath,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "127.0.0.1:8080", RemoteAddr: "127.0.0.1:40000",
		Header:        http.Header{"Content-Type": values[0:1:1], "Content-Length": values[1:2:2]},
		ContentLength: int64(length),
	}
}

// answer takes what a handler writes. It keeps the body of errors only.
type answer struct {
	header http.Header
	status int
	body   []byte
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(data []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.status >= http.StatusBadRequest {
		a.body = append(a.body, data...)
	}
	return len(data), nil
}
