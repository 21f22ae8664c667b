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

// encodeResponse writes the response in HTTP/1.1 wire format. Left out are
// hop-by-hop headers, Date, which is the time of fetching, Set-Cookie, which is
// a credential and does not belong to whoever fetches the result, and withheld ones.
func encodeResponse(r recorded, withheld headerSet) store.Result {
	data := make([]byte, 0, headerSize(r.header)+len(r.body)+headSlack)
	data = append(data, protoDefault+" "...)
	data = strconv.AppendInt(data, int64(r.status), 10)
	data = append(data, ' ')
	data = append(data, http.StatusText(r.status)...)
	data = append(data, crlf...)
	data = appendHeader(data, r.header, func(name string) bool {
		return name == "Content-Length" || name == "Date" || name == "Set-Cookie" || withheld[name]
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
