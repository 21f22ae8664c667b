package ginasync

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// errWire is what every stored message that is not well-formed HTTP/1.1 fails with.
var errWire = errors.New("ginasync: malformed stored message")

const (
	crlf         = "\r\n"
	protoDefault = "HTTP/1.1"
)

// appendHeader appends h as header lines: names sorted, so that equal requests
// are equal bytes, and the values of a name in their order. Left out are names
// that are no tokens, hop-by-hop fields, and those that omit picks out. What
// Connection names is kept, as net/http does: otherwise a client could remove
// headers that a middleware set.
func appendHeader(dst []byte, h http.Header, omit func(name string) bool) []byte {
	var room [32]string
	keys := room[:0]
	for key := range h {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		name := http.CanonicalHeaderKey(key)
		if !isToken(name) || isHopByHop(name) || omit(name) {
			continue
		}
		for _, value := range h[key] {
			dst = appendField(dst, name, value)
		}
	}
	return dst
}

// appendField appends one header line. Control characters, which can only come
// from a program and would end the line or be refused when it is read, become
// spaces; all other bytes stay as they are, UTF-8 or not.
func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	start := len(dst)
	dst = append(dst, value...)
	for i, c := range dst[start:] {
		if isControl(c) {
			dst[start+i] = ' '
		}
	}
	return append(dst, crlf...)
}

// headerSize is the number of bytes that appendHeader needs at most.
func headerSize(h http.Header) int {
	size := 0
	for key, values := range h {
		for _, value := range values {
			size += len(key) + len(": ") + len(value) + len(crlf)
		}
	}
	return size
}

// isHopByHop reports whether a field speaks of one connection only. The name is
// in canonical form.
func isHopByHop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// hasElement reports whether one of the comma-separated lists in values has an
// element equal to token, in any case.
func hasElement(values []string, token string) bool {
	for _, value := range values {
		for element := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(element), token) {
				return true
			}
		}
	}
	return false
}

// isToken reports whether s can be a method or a field name (RFC 9110, 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// cutMessage parts a message into its first line, its header lines, each with its
// line end, and its body.
func cutMessage(message []byte) (first, fields string, body []byte, err error) {
	const blank = crlf + crlf
	i := bytes.Index(message, []byte(blank))
	if i < 0 {
		return "", "", nil, fmt.Errorf("%w: no blank line", errWire)
	}
	first, fields, _ = strings.Cut(string(message[:i+len(crlf)]), crlf)
	return first, fields, message[i+len(blank):], nil
}

// parseFields reads what appendHeader and appendField wrote, and nothing looser:
// no continued lines, no other line ends, no control characters.
func parseFields(fields string) (http.Header, error) {
	lines := strings.Count(fields, crlf)
	h := make(http.Header, lines)
	room := make([]string, lines) // one allocation for the first values of all names
	for fields != "" {
		var line string
		line, fields, _ = strings.Cut(fields, crlf)
		name, value, ok := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !ok || !isToken(name) || hasControl(value) {
			return nil, fmt.Errorf("%w: header line %.40q", errWire, line)
		}
		name = http.CanonicalHeaderKey(name)
		if values, again := h[name]; again {
			h[name] = append(values, value)
			continue
		}
		room[0] = value
		h[name], room = room[:1:1], room[1:]
	}
	return h, nil
}

// hasControl reports whether s has a byte that no field value can have.
func hasControl(s string) bool {
	for i := range len(s) {
		if isControl(s[i]) {
			return true
		}
	}
	return false
}

func isControl(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }

// contentLength is the length that a header declares; 0 when there is none.
func contentLength(h http.Header) (int64, error) {
	values := h["Content-Length"]
	if len(values) == 0 {
		return 0, nil
	}
	n, err := strconv.ParseUint(values[0], 10, 63)
	if err != nil || len(values) > 1 {
		return 0, fmt.Errorf("%w: Content-Length %.40q", errWire, values)
	}
	return int64(n), nil
}
