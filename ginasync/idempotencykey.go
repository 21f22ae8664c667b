package ginasync

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// maxIdempotencyKey is how many characters an idempotency key may have.
const maxIdempotencyKey = 255

var (
	errKeyMissing = errors.New("ginasync: this route needs the header Idempotency-Key: send a new random text with each new request, " +
		"such as a UUID, and the same one when you repeat a request")
	// errKeyInvalid is wrapped with the reason.
	errKeyInvalid = errors.New("ginasync: send Idempotency-Key once, with 1 to 255 printable ASCII characters, in double quotes or without")
)

// RequireIdempotencyKey refuses requests without the header Idempotency-Key with 400, so
// that no client can order the same work twice by accident. Default: the header is
// optional. With or without this option, a request with the key of an earlier one of the
// same route and owner gets the job of that one, as long as the job is kept, if it is the
// same request, and 422 if it is another.
func RequireIdempotencyKey() RouteOption {
	return func(c *routeConfig) { c.keyRequired = true }
}

// idempotencyKeyOf reads the key of a request to the route; empty when it has none.
// Errors: errKeyMissing, errKeyInvalid.
func (r *route) idempotencyKeyOf(h http.Header) (string, error) {
	lines := h["Idempotency-Key"]
	switch {
	case len(lines) == 1:
		return parseIdempotencyKey(lines[0])
	case len(lines) > 1:
		return "", invalidKey("it is there %d times", len(lines))
	case r.cfg.keyRequired:
		return "", errKeyMissing
	}
	return "", nil
}

// parseIdempotencyKey reads a structured-field String (RFC 9651 §3.3.3), as
// draft-ietf-httpapi-idempotency-key-header has it, or the same text without quotes, as
// many clients send it. Parameters behind a String are passed over.
func parseIdempotencyKey(field string) (key string, err error) {
	field = strings.Trim(field, " \t")
	if strings.HasPrefix(field, `"`) {
		key, err = cutKeyString(field)
	} else {
		key, err = field, checkBareKey(field)
	}
	switch {
	case err != nil:
		return "", err
	case key == "":
		return "", invalidKey("it is empty")
	case len(key) > maxIdempotencyKey:
		return "", invalidKey("it has %d", len(key))
	}
	return key, nil
}

// cutKeyString reads a field that begins with a quote.
func cutKeyString(field string) (string, error) {
	key, rest, ok := cutSFString(field)
	if !ok {
		return "", invalidKey("the quoted text has no end, a character that is not printable ASCII, or a backslash before one that needs none")
	}
	if !areSFParameters(rest) {
		return "", invalidKey("the text behind the quotes does not belong there")
	}
	return key, nil
}

// checkBareKey refuses what may have been meant in another way: a comma may join two
// header lines, a semicolon begin a parameter, a quote be one of two.
func checkBareKey(field string) error {
	for i := range len(field) {
		switch c := field[i]; {
		case !isPrintable(c):
			return invalidKey("it has a character that is not printable ASCII")
		case strings.IndexByte(`",;`, c) >= 0:
			return invalidKey("a key with %q in it needs the quotes, and a backslash before each quote in it", c)
		}
	}
	return nil
}

func invalidKey(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errKeyInvalid}, args...)...)
}

func isPrintable(c byte) bool { return ' ' <= c && c <= '~' }

// cutSFString cuts off the String that s begins with (RFC 9651 §4.2.5).
func cutSFString(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\':
			if i++; i == len(s) || s[i] != '"' && s[i] != '\\' {
				return "", "", false
			}
			b.WriteByte(s[i])
		case !isPrintable(c):
			return "", "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// areSFParameters reports whether s is nothing but parameters (RFC 9651 §4.2.3.2). Their
// values are looked at no closer than it takes to find their ends.
func areSFParameters(s string) bool {
	for s != "" {
		if s[0] != ';' {
			return false
		}
		s = strings.TrimLeft(s[1:], " ")
		name := len(s) - len(strings.TrimLeft(s, "abcdefghijklmnopqrstuvwxyz0123456789_-.*"))
		if name == 0 || strings.IndexByte("0123456789_-.", s[0]) >= 0 {
			return false
		}
		if s = s[name:]; !strings.HasPrefix(s, "=") {
			continue
		}
		ok := false
		if s, ok = cutSFItem(s[1:]); !ok {
			return false
		}
	}
	return true
}

// cutSFItem cuts off the value of a parameter.
func cutSFItem(s string) (rest string, ok bool) {
	s = strings.TrimPrefix(s, "%") // of a Display String
	if strings.HasPrefix(s, `"`) {
		_, rest, ok = cutSFString(s)
		return rest, ok
	}
	n := 0
	for n < len(s) && s[n] != ' ' && isPrintable(s[n]) && strings.IndexByte(`",;`, s[n]) < 0 {
		n++
	}
	return s[n:], n > 0
}
