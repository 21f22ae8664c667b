package ginasync

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// headerSet has the names of headers in canonical form. The nil set is empty.
type headerSet map[string]bool

// names are in order.
func (s headerSet) names() []string { return slices.Sorted(maps.Keys(s)) }

// without returns h without the names of the set; h itself if there are none of them.
func (s headerSet) without(h http.Header) http.Header {
	isIn := func(name string, _ []string) bool { return s[http.CanonicalHeaderKey(name)] }
	for name, values := range h {
		if isIn(name, values) {
			h = h.Clone()
			maps.DeleteFunc(h, isIn)
			break
		}
	}
	return h
}

// withheld are the headers that would rest in the clear outside of this process.
func (c *config) withheld() headerSet {
	if c.keys != nil || isLocal(c.store) {
		return nil
	}
	return c.credentials
}

// needs returns an error when the handler takes a withheld header: it would always be
// empty in the worker, though it was there when the request was checked.
func (e *endpoint) needs(withheld headerSet) error {
	for _, field := range e.headers {
		if name := http.CanonicalHeaderKey(field.name); withheld[name] {
			return fmt.Errorf("AsyncFunc: Req: field %s: the header %s is not stored, because the store keeps jobs outside of this process: "+
				"set WithEncryption, or read the header in a middleware and hand on what it says with CaptureKey", field.path, name)
		}
	}
	return nil
}

// withoutUser takes user and password out of a request target in absolute form, and
// gives up one that it cannot read.
func withoutUser(target string) string {
	if strings.HasPrefix(target, "/") || !strings.Contains(target, "@") {
		return target
	}
	u, err := url.ParseRequestURI(target)
	switch {
	case err != nil || u.Opaque != "":
		return ""
	case u.User == nil:
		return target
	}
	u.User = nil
	return u.String()
}
