package client

import (
	"crypto/rand"
	"net/http"
)

// submissions is how often a request with a key is sent.
const submissions = 4

// submit sends a request. With accepted not nil the response is a ginasync 202 that was
// read and closed.
func (t *Transport) submit(req *http.Request) (resp *http.Response, accepted *Status, err error) {
	if !t.keys || isSafe(req.Method) {
		return t.send(req)
	}
	keyed := withKey(req)
	for n := 1; ; n++ {
		resp, accepted, err = t.send(keyed)
		if err == nil {
			resp.Request = req
			return resp, accepted, nil
		}
		if n == submissions || req.Context().Err() != nil || !rewind(keyed) {
			return nil, nil, err
		}
		if pause(req.Context(), backoff(n)) != nil {
			return nil, nil, err
		}
	}
}

// send sends a request once.
func (t *Transport) send(req *http.Request) (*http.Response, *Status, error) {
	resp, err := t.roundTripper().RoundTrip(req)
	if err != nil || !mayBeAccepted(resp) {
		return resp, nil, err
	}
	accepted, err := readAccepted(resp)
	if err != nil {
		return nil, nil, err
	}
	return resp, accepted, nil
}

// isSafe reports whether a method changes nothing (RFC 9110 §9.2.1), so that sending it
// again needs no key. The empty one is GET.
func isSafe(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	default:
		return false
	}
}

// withKey returns a copy of req that has a key: the request itself is the caller's.
func withKey(req *http.Request) *http.Request {
	keyed := req.Clone(req.Context())
	if keyed.Header == nil {
		keyed.Header = make(http.Header)
	}
	if keyed.Header.Get("Idempotency-Key") == "" {
		keyed.Header.Set("Idempotency-Key", `"`+rand.Text()+`"`)
	}
	return keyed
}

// rewind makes a request that was sent ready to be sent again, if it can.
func rewind(req *http.Request) bool {
	if req.Body == nil || req.Body == http.NoBody {
		return true
	}
	if req.GetBody == nil {
		return false
	}
	body, err := req.GetBody()
	if err != nil {
		return false
	}
	req.Body = body
	return true
}
