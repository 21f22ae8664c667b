package ginasync

import (
	"net/http"
	"net/url"
	"strings"
)

// target is where the client sent a stored request, as far as references in its answer
// are to be understood by it. It is taken before the handler runs, which may change the
// request.
type target struct {
	public   string // what WithURL made of it; empty without
	received string // the request target that this server received
	path     string // the path that gin saw, escaped
}

// target returns the one of a stored request.
func (s *stored) target() target {
	return target{public: s.url, received: s.request.RequestURI, path: s.request.URL.EscapedPath()}
}

// base is what relative references are resolved against (RFC 9110 §10.2.2, RFC 8288
// §3.1): the URL that the client called. Host and X-Forwarded headers have no say in it;
// an origin is in it only when WithBaseURL or WithURL gives one.
//
// WithBaseURL stands before the paths that gin sees. Without it the received target is
// meant: of a prefix that http.StripPrefix took away, the client knows.
func (a target) base(baseURL string) (*url.URL, error) {
	switch {
	case a.public != "":
		return url.Parse(a.public)
	case baseURL != "":
		return url.Parse(baseURL + a.path)
	}
	u, err := url.ParseRequestURI(a.received)
	if err != nil {
		return nil, err
	}
	return &url.URL{Path: u.Path, RawPath: u.RawPath}, nil
}

// keepMeaning rewrites the references in h that would lead elsewhere once they are sent
// from the result's URL instead of the target. The others stay as they are.
func (a target) keepMeaning(h http.Header, baseURL string) {
	resolve := func(reference string) string { return a.resolve(reference, baseURL) }
	for _, name := range [...]string{"Location", "Content-Location"} {
		for i, value := range h[name] {
			h[name][i] = resolve(value)
		}
	}
	for i, value := range h["Link"] {
		h["Link"][i] = rewriteLinks(value, resolve)
	}
}

// resolve makes a reference that is relative to the request's path absolute (RFC 3986
// §5.2). What is absolute, has a host or begins at the root means the same everywhere;
// a fragment alone is a place in the answer itself.
func (a target) resolve(reference, baseURL string) string {
	if reference == "" || reference[0] == '/' || reference[0] == '#' {
		return reference
	}
	u, err := url.Parse(reference)
	if err != nil || u.IsAbs() {
		return reference
	}
	base, err := a.base(baseURL)
	if err != nil {
		return reference
	}
	resolved := base.ResolveReference(u).String()
	if strings.HasPrefix(resolved, "//") && base.Host == "" {
		return "/." + resolved // a path that must not be taken for a host (RFC 3986 §4.2)
	}
	return resolved
}

// rewriteLinks applies rewrite to the targets and anchors of a Link field value (RFC 8288
// §3). What is no such value stays as it is.
func rewriteLinks(value string, rewrite func(reference string) string) string {
	var b strings.Builder
	for value != "" {
		start := strings.IndexAny(value, `<"`)
		if start < 0 {
			break
		}
		before, rest := value[:start], value[start+1:]
		closing := byte('>')
		if value[start] == '"' {
			closing = '"'
		}
		end := endOf(rest, closing)
		if end < 0 {
			break
		}
		inside := rest[:end]
		if closing == '>' || isAnchor(before) {
			inside = rewrite(inside)
		}
		b.WriteString(before)
		b.WriteByte(value[start])
		b.WriteString(inside)
		b.WriteByte(closing)
		value = rest[end+1:]
	}
	b.WriteString(value)
	return b.String()
}

// endOf returns where closing stands in s; -1: nowhere. In a quoted string a backslash
// takes the meaning from the character after it.
func endOf(s string, closing byte) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == closing:
			return i
		case s[i] == '\\' && closing == '"':
			i++
		}
	}
	return -1
}

// isAnchor reports whether text ends in the beginning of an anchor parameter.
func isAnchor(text string) bool {
	name, ok := strings.CutSuffix(strings.TrimRight(text, " \t"), "=")
	name = strings.TrimRight(name, " \t")
	i := strings.LastIndexAny(name, "; \t")
	return ok && i >= 0 && strings.EqualFold(name[i+1:], "anchor")
}
