package client

import (
	"net/url"
	"strings"
)

// resolve returns the URL that a reference in the answer to a request means, if it is
// at the request's origin (RFC 6454): what polls carry is meant for that alone.
func resolve(request *url.URL, reference string) (*url.URL, error) {
	u, err := request.Parse(reference)
	if err != nil || !sameOrigin(request, u) {
		return nil, ErrOrigin
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	return u, nil
}

func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// port is the port that is connected to.
func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case strings.EqualFold(u.Scheme, "https"):
		return "443"
	default:
		return "80"
	}
}
