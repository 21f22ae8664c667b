package ginasync

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// longestWait bounds what a client may ask for with Prefer: wait. It is below the
// minute after which proxies give up on a request that is not answered.
const longestWait = 30 * time.Second

// preferences are what a client asks for with Prefer (RFC 7240), as far as it is
// understood here.
type preferences struct {
	respondAsync bool
	waits        bool          // wait was given
	wait         time.Duration // at most longestWait
}

// preferencesOf reads the Prefer header. A preference is a wish: what is unknown or
// malformed is passed over, and of two with one name the first counts (RFC 7240 §2).
func preferencesOf(h http.Header) preferences {
	var p preferences
	var seenAsync, seenWait bool
	for _, line := range h["Prefer"] {
		for line != "" {
			var name, value string
			name, value, line = nextPreference(line)
			switch {
			case strings.EqualFold(name, "respond-async") && !seenAsync:
				seenAsync, p.respondAsync = true, value == "" // it takes no value
			case strings.EqualFold(name, "wait") && !seenWait:
				seenWait = true
				p.wait, p.waits = deltaSeconds(value)
			}
		}
	}
	return p
}

// nextPreference reads one element of a Prefer line: a name, empty when the element
// is none, its value without quotes, and the rest of the line after it. Parameters
// are read and dropped: no preference understood here has any.
func nextPreference(line string) (name, value, rest string) {
	name, value, line, ok := cutPair(line)
	for ok && strings.HasPrefix(line, ";") {
		if _, _, after, is := cutPair(line[1:]); is {
			line = after
			continue
		}
		line = trimSpace(line[1:]) // a semicolon alone is allowed
		ok = line == "" || line[0] == ';' || line[0] == ','
	}
	if ok = ok && (line == "" || line[0] == ','); !ok {
		name, value = "", ""
	}
	return name, value, afterComma(line)
}

// cutPair reads token [ BWS "=" BWS ( token / quoted-string ) ] with the space around
// it. ok is false when line does not begin with one.
func cutPair(line string) (name, value, rest string, ok bool) {
	name, rest = cutToken(trimSpace(line))
	rest = trimSpace(rest)
	if name == "" || !strings.HasPrefix(rest, "=") {
		return name, "", rest, name != ""
	}
	rest = trimSpace(rest[1:])
	if strings.HasPrefix(rest, `"`) {
		value, rest, ok = cutQuoted(rest)
	} else {
		value, rest = cutToken(rest)
		ok = value != ""
	}
	return name, value, trimSpace(rest), ok
}

// cutToken cuts the token off that s begins with.
func cutToken(s string) (token, rest string) {
	n := 0
	for n < len(s) && isToken(s[n:n+1]) {
		n++
	}
	return s[:n], s[n:]
}

// cutQuoted cuts the quoted string off that s begins with (RFC 9110 §5.6.4).
// Without a closing quote the rest of s is lost.
func cutQuoted(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// afterComma returns what follows the next comma that is not in quotes.
func afterComma(s string) string {
	for s != "" {
		switch s[0] {
		case ',':
			return s[1:]
		case '"':
			_, s, _ = cutQuoted(s)
		default:
			s = s[1:]
		}
	}
	return ""
}

func trimSpace(s string) string { return strings.TrimLeft(s, " \t") }

// deltaSeconds reads 1*DIGIT, at most longestWait however long it is.
func deltaSeconds(s string) (time.Duration, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	if err != nil { // more than an int holds
		return longestWait, true
	}
	return time.Duration(min(n, int(longestWait/time.Second))) * time.Second, true
}

// applied says with Preference-Applied what was done of what the client asked for,
// and with which value.
func (p preferences) applied(c *gin.Context) {
	var list []string
	if p.respondAsync {
		list = append(list, "respond-async")
	}
	if p.waits {
		list = append(list, "wait="+strconv.FormatInt(int64(p.wait/time.Second), 10))
	}
	if len(list) > 0 {
		c.Writer.Header().Add("Preference-Applied", strings.Join(list, ", "))
	}
}
