package contestant

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
)

// submit sends a request through a handler in this process, as net/http would have read
// it from a connection, and returns the id that the 202 names.
func submit(ctx context.Context, handler http.Handler, body []byte) (string, error) {
	request := (&http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: SubmitPath}, RequestURI: SubmitPath,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "127.0.0.1:8080", RemoteAddr: "127.0.0.1:40000",
		Header: http.Header{
			"Content-Type":   {"text/plain"},
			"Content-Length": {strconv.Itoa(len(body))},
		},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	answer := answer{header: make(http.Header, 8)}
	handler.ServeHTTP(&answer, request)
	if answer.status != http.StatusAccepted {
		return "", fmt.Errorf("submission was answered %d: %s", answer.status, answer.body)
	}
	return path.Base(answer.header.Get("Location")), nil
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
