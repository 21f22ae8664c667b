package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// longestURL is how many bytes a URL may have.
const longestURL = 2048

// Errors of a URL. None of them quotes it: there may be a token in it.
var (
	errLong     = fmt.Errorf("it is longer than %d bytes", longestURL)
	errNoURL    = errors.New("it is not a URL")
	errScheme   = errors.New("it needs a scheme and a host, such as https://hooks.example.com/jobs")
	errUser     = errors.New("it must not have a user or a password")
	errFragment = errors.New("it must not have a fragment")
	errHTTPS    = errors.New("it has to begin with https://")
	errHost     = errors.New("its host and port are not among those allowed")
)

// ParseURL reads the URL of an endpoint that the operator has chosen: http or https,
// any host, no user, no fragment, at most 2048 bytes.
func ParseURL(text string) (*url.URL, error) {
	if len(text) > longestURL {
		return nil, errLong
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errNoURL
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, errScheme
	case u.User != nil:
		return nil, errUser
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return nil, errFragment
	}
	return u, nil
}

// HostOf returns host and port of a URL as [ParseHost] writes them.
func HostOf(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return host
	}
	return host + ":" + port
}

// ParseHost reads a host, or host:port for another port than that of the scheme, and
// returns it in lower case.
func ParseHost(text string) (string, error) {
	u, err := url.Parse("https://" + text)
	if err != nil || u.Host != text || u.Hostname() == "" || strings.ContainsAny(text, "*?") || strings.HasSuffix(text, ":") {
		return "", fmt.Errorf("%q is not a host, nor host:port", text)
	}
	return HostOf(u), nil
}

// Hosts are the hosts that a client may name, as [ParseHost] returns them. An IP address
// is one of them only if it is written there.
type Hosts map[string]bool

// Check returns the URL that a client gave, in the form it is to be used in, or says
// what is wrong with it: it has to be https, its host and port one of Hosts, without
// user and fragment, at most 2048 bytes. The error is for the client.
func (h Hosts) Check(text string) (string, error) {
	u, err := ParseURL(text)
	switch {
	case err != nil:
		return "", err
	case u.Scheme != "https":
		return "", errHTTPS
	case !h[HostOf(u)]:
		return "", errHost
	}
	return u.String(), nil
}

// ParseNetwork reads a network, such as 10.0.0.0/8, or a single address.
func ParseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil || network.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is neither a network, such as 10.0.0.0/8, nor an address", text)
	}
	return network.Masked(), nil
}
