package ginasync

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/asyncendpoints/gin-async/store"
)

// recorded is what the handlers answered.
type recorded struct {
	status   int
	header   http.Header
	body     []byte
	err      error // the last of c.Errors, or nil
	tooLarge bool  // body or headers went over their limit; the body was dropped
	short    bool  // the body ended before the length that its Content-Length declares
}

// encodeResponse writes the response in HTTP/1.1 wire format, without the headers that
// belong to the request they answer and not to the result, and without withheld ones.
func encodeResponse(r recorded, withheld headerSet) store.Result {
	data := make([]byte, 0, headerSize(r.header)+len(r.body)+headSlack)
	data = append(data, protoDefault+" "...)
	data = strconv.AppendInt(data, int64(r.status), 10)
	data = append(data, ' ')
	data = append(data, http.StatusText(r.status)...)
	data = append(data, crlf...)
	data = appendHeader(data, r.header, func(name string) bool {
		return isOfTheMoment(name) || withheld[name] || hasElement(r.header["Connection"], name)
	})
	if bodyAllowed(r.status) {
		data = appendLength(data, int64(len(r.body)))
	}
	data = append(data, crlf...)
	data = append(data, r.body...)
	return store.Result{
		Response: store.Response{
			Status: r.status, ContentType: r.header.Get("Content-Type"), Bytes: int64(len(r.body)),
		},
		Data: data,
	}
}

// isOfTheMoment reports whether a header of an answer says something of that moment, of
// that client or of that connection, and is not for whoever fetches the result later. The
// name is in canonical form; the hop-by-hop ones of RFC 9110 §7.6.1 are gone already.
func isOfTheMoment(name string) bool {
	switch name {
	case "Content-Length", // written anew
		"Date", "Age", // of fetching it
		"Set-Cookie", "Set-Cookie2", // a credential
		"Cache-Control", "Expires", "Pragma", "Surrogate-Control", "X-Accel-Expires": // a result is never cached
		return true
	}
	return strings.HasPrefix(name, "Proxy-") ||
		strings.HasPrefix(name, "Access-Control-") || // the middleware that answers then sets them
		strings.HasSuffix(name, "-Cache-Control") // RFC 9213
}

// decodeResponse reads what encodeResponse wrote. The header is without
// Content-Length; body is a part of data. Errors wrap errWire, or errSealed for data
// that is sealed; nothing makes it panic.
func decodeResponse(data []byte) (status int, header http.Header, body []byte, err error) {
	if isSealed(data) {
		return 0, nil, nil, errSealed
	}
	line, fields, body, err := cutMessage(data)
	if err != nil {
		return 0, nil, nil, err
	}
	if status, err = parseStatusLine(line); err != nil {
		return 0, nil, nil, err
	}
	if header, err = parseFields(fields); err != nil {
		return 0, nil, nil, err
	}
	declared, err := contentLength(header)
	if err != nil {
		return 0, nil, nil, err
	}
	if declared != int64(len(body)) {
		return 0, nil, nil, fmt.Errorf("%w: %d bytes of body, Content-Length says %d", errWire, len(body), declared)
	}
	delete(header, "Content-Length")
	return status, header, body, nil
}

func parseStatusLine(line string) (int, error) {
	rest, ok := strings.CutPrefix(line, protoDefault+" ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.ParseUint(code, 10, 16)
	if !ok || err != nil || len(code) != len("200") || status < 200 {
		return 0, fmt.Errorf("%w: status line %.40q", errWire, line)
	}
	return int(status), nil
}
