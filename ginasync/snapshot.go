package ginasync

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
)

var (
	// errUpgrade refuses a request that wants another protocol on its connection:
	// there is none when the handler runs.
	errUpgrade = errors.New("ginasync: a request to upgrade or tunnel the connection cannot be stored")
	// errBadMethod refuses a method that only a middleware can have made.
	errBadMethod = errors.New("ginasync: the request method is not a token")
)

// captured is one submission as it will be stored.
type captured struct {
	request  []byte // HTTP/1.1 wire format: request line, headers, blank line, body
	body     []byte // the body within request
	envelope []byte // what belongs to the request but is not in it
}

// capturedKey is one value of the gin context that travels with the request.
type capturedKey struct {
	name  string
	value []byte
}

// capture reads the whole request of c, with at most maxBody bytes of body, and
// leaves c.Request.Body readable from the start. keys travel along as they are;
// withheld headers, and a user in the request line, stay behind.
//
// Errors: errUpgrade, errBadMethod, *bodyTooLargeError, errBodyTruncated and
// errBodyConsumed. After an error the body may be read in part.
func capture(c *gin.Context, maxBody int64, keys []capturedKey, withheld headerSet) (captured, error) {
	r := c.Request
	if r.Method == http.MethodConnect || asksUpgrade(r.Header) {
		return captured{}, errUpgrade
	}
	if !isToken(r.Method) {
		return captured{}, errBadMethod
	}
	if r.ContentLength > maxBody {
		return captured{}, &bodyTooLargeError{limit: maxBody}
	}
	received := r.RequestURI
	if len(withheld) > 0 {
		received = withoutUser(received)
	}
	target, exact := requestTarget(r.URL, received)
	size := len(r.Method) + len(target) + len(r.Host) + headerSize(r.Header) + headSlack
	buf := make([]byte, 0, size+bodyRoom(r.ContentLength))
	buf = appendRequestHead(buf, r, target, withheld)
	request, start, err := appendBody(buf, c, maxBody)
	if err != nil {
		return captured{}, err
	}
	body := request[start:]
	r.Body = newBody(body)
	// Trailers are there only after the body was read.
	belongings := describe(c, received, target, exact, keys)
	belongings.trailer = withheld.without(belongings.trailer)
	return captured{request: request, body: body, envelope: belongings.encode()}, nil
}

// headSlack is room for the fixed parts of a head.
const headSlack = 96

// appendRequestHead appends the request line and the headers that are stored,
// without Content-Length and blank line.
func appendRequestHead(dst []byte, r *http.Request, target string, withheld headerSet) []byte {
	dst = append(dst, r.Method...)
	dst = append(dst, ' ')
	dst = append(dst, target...)
	dst = append(dst, " "+protoDefault+crlf...)
	dst = appendField(dst, "Host", r.Host)
	return appendHeader(dst, r.Header, func(name string) bool {
		return name == "Host" || name == "Content-Length" || name == "Expect" || withheld[name]
	})
}

// appendBody completes a head with Content-Length and blank line and appends the
// body, which it reads straight into dst. The length is known for sure only
// afterwards: when it is not the declared one, the line is put right.
func appendBody(dst []byte, c *gin.Context, maxBody int64) (request []byte, start int, err error) {
	r := c.Request
	declared := r.ContentLength > 0 || len(r.Header["Content-Length"]) > 0
	line := len(dst)
	if declared {
		dst = appendLength(dst, r.ContentLength)
	}
	lineEnd := len(dst)
	dst = append(dst, crlf...)
	start = len(dst)
	if dst, err = readBody(dst, c, maxBody); err != nil {
		return nil, 0, err
	}
	length := int64(len(dst) - start)
	if length != r.ContentLength {
		corrected := appendLength(nil, length)
		dst = slices.Replace(dst, line, lineEnd, corrected...)
		start += len(corrected) - (lineEnd - line)
	}
	return dst, start, nil
}

func appendLength(dst []byte, n int64) []byte {
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, crlf...)
}

// asksUpgrade reports whether the client wants to switch protocols. An offer of
// h2c is one that servers are free to ignore.
func asksUpgrade(h http.Header) bool {
	if len(h["Upgrade"]) == 0 || !hasElement(h["Connection"], "Upgrade") {
		return false
	}
	for _, offer := range h["Upgrade"] {
		if offer != "h2c" {
			return true
		}
	}
	return false
}

// requestTarget returns the target for the request line and whether it gives
// back u. It is the received one unless a middleware rewrote the URL. When no
// target stands for the URL, as for one with an empty path, it leads to the root,
// and the rest has to travel in the envelope.
func requestTarget(u *url.URL, received string) (target string, exact bool) {
	rewritten := u.RequestURI()
	if u.Host != "" {
		rewritten = u.Scheme + "://" + u.Host + rewritten
	}
	// A path that is what the URL makes of itself need not be parsed to compare.
	// An empty path makes "/" of itself, which is another path.
	same := rewritten == received && u.Path != "" && rewritten[0] == '/' && fitsLine(rewritten)
	if same || standsFor(received, u) {
		return received, true
	}
	if standsFor(rewritten, u) {
		return rewritten, true
	}
	root := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
	if target = root.String(); standsFor(target, &root) {
		return target, false
	}
	return "/", false
}

// fitsLine reports whether a target can stand in a request line. HTTP/2 has none,
// and lets clients send spaces.
func fitsLine(target string) bool {
	return strings.IndexByte(target, ' ') < 0 && !hasControl(target)
}

// standsFor reports whether a server that receives target makes u of it.
func standsFor(target string, u *url.URL) bool {
	if !fitsLine(target) {
		return false
	}
	t, err := url.ParseRequestURI(target)
	return err == nil && t.Scheme == u.Scheme && t.Opaque == u.Opaque && t.Host == u.Host && t.Path == u.Path &&
		t.RawPath == u.RawPath && t.RawQuery == u.RawQuery && t.ForceQuery == u.ForceQuery
}
