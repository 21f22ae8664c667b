package client

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
)

// maxDocument bounds what is read of an answer that should be a status or problem
// document. Those of ginasync have some kilobytes at most.
const maxDocument = 256 << 10

// mayBeAccepted reports whether a response looks like a ginasync 202 from outside: its
// content is what there is at Location, and no handler has answered it. Others are not
// read.
func mayBeAccepted(resp *http.Response) bool {
	if resp.StatusCode != http.StatusAccepted || hasResult(resp) {
		return false
	}
	location := resp.Header.Get("Location")
	return location != "" && location == resp.Header.Get("Content-Location") && isJSON(resp.Header.Get("Content-Type"))
}

// hasResult reports whether a response is the handler's, or stands for it.
func hasResult(resp *http.Response) bool {
	_, there := resp.Header["Asyncresult"] // how net/http writes AsyncResult
	return there
}

// readAccepted returns the status document of a 202, or nil when it has none; then
// nothing of its body is lost. An error means that the body ended early.
func readAccepted(resp *http.Response) (*Status, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("client: reading the 202: %w", err)
	}
	if status, err := parseStatus(decoded(resp, body)); err == nil && followable(status) {
		_ = resp.Body.Close()
		return &status, nil
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	return nil, nil //nolint:nilnil // no document is no error here
}

// followable reports whether there is somewhere to wait for the job, or no need to.
func followable(s Status) bool { return s.Links.Result != "" || s.Done }

// decoded undoes the compression that the caller, not net/http, has asked for. What is
// compressed otherwise, or too large, is no document.
func decoded(resp *http.Response, body []byte) []byte {
	switch {
	case len(body) > maxDocument:
		return nil
	case resp.Header.Get("Content-Encoding") == "":
		return body
	case resp.Header.Get("Content-Encoding") == "gzip":
		unzipped, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil
		}
		plain, _ := io.ReadAll(io.LimitReader(unzipped, maxDocument)) // a cut one does not parse
		return plain
	default:
		return nil
	}
}
