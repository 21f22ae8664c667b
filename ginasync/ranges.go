package ginasync

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
)

// errNoSuchRange refuses a part that lies behind the end.
var errNoSuchRange = errors.New("ginasync: the range is not satisfiable")

// answerPart sends what the handler answered, or the part of it that Range asks for (RFC
// 9110 §14). Only a 200 has parts, and not if the handler dealt with ranges itself. A
// request for several parts gets the whole, as it may (§14.2).
func (m *Manager) answerPart(c *gin.Context, job Job, data []byte) {
	r, ok := m.readResult(c, job, data)
	if !ok {
		return
	}
	if !r.hasParts() {
		sendRecorded(c, r)
		return
	}
	r.header["Accept-Ranges"] = []string{"bytes"}
	asked, partial := byteRange{}, false
	if c.Request.Method == http.MethodGet && r.isStill(c.Request.Header.Get("If-Range")) {
		asked, partial = parseRange(c.Request.Header["Range"])
	}
	if !partial {
		sendRecorded(c, r)
		return
	}
	first, end, ok := asked.within(int64(len(r.body)))
	if !ok {
		c.Header("Content-Range", "bytes */"+strconv.Itoa(len(r.body)))
		m.fail(c, errNoSuchRange)
		return
	}
	to := c.Writer.Header()
	mergeHeader(to, r.header)
	setResultHeaders(to, r.status)
	to.Set("Content-Range", contentRange(first, end, len(r.body)))
	sendBody(c, http.StatusPartialContent, r.body[first:end])
}

// hasParts reports whether parts of an answer may be asked for.
func (r *recorded) hasParts() bool {
	if r.status != http.StatusOK || len(r.body) == 0 || len(r.header["Content-Range"]) > 0 {
		return false
	}
	accepted, said := r.header["Accept-Ranges"]
	return !said || hasElement(accepted, "bytes")
}

// isStill reports whether an If-Range condition holds, or there is none: the validator is
// the handler's ETag or Last-Modified, and a strong one (RFC 9110 §13.1.5).
func (r *recorded) isStill(condition string) bool {
	switch {
	case condition == "":
		return true
	case strings.HasPrefix(condition, `"`):
		return condition == r.header.Get("Etag")
	}
	then, err := http.ParseTime(condition)
	if err != nil { // a weak ETag, too
		return false
	}
	modified, err := http.ParseTime(r.header.Get("Last-Modified"))
	return err == nil && then.Equal(modified)
}

// byteRange is one range-spec: the bytes from first to last, or the last few.
type byteRange struct {
	suffix      bool
	first, last int64 // last is the number of bytes of a suffix
}

// openEnd is the last byte of a range without one, and of one that goes beyond what an
// int64 counts.
const openEnd = 1<<63 - 1

// parseRange reads a Range header. ok is false when it is not one range of bytes: then it
// is as if it was not there, be it malformed, another unit, or several ranges.
func parseRange(fields []string) (asked byteRange, ok bool) {
	if len(fields) != 1 {
		return byteRange{}, false
	}
	unit, set, _ := strings.Cut(fields[0], "=")
	if !strings.EqualFold(unit, "bytes") {
		return byteRange{}, false
	}
	for spec := range strings.SplitSeq(set, ",") {
		if spec = strings.Trim(spec, " \t"); spec == "" {
			continue
		}
		if ok {
			return byteRange{}, false
		}
		if asked, ok = parseSpec(spec); !ok {
			return byteRange{}, false
		}
	}
	return asked, ok
}

// parseSpec reads first-last, first-, or -length.
func parseSpec(spec string) (byteRange, bool) {
	first, last, dash := strings.Cut(spec, "-")
	var r byteRange
	var ok bool
	switch {
	case !dash:
		return r, false
	case first == "":
		r.suffix = true
		r.last, ok = position(last)
		return r, ok
	case last == "":
		r.last = openEnd
		r.first, ok = position(first)
		return r, ok
	}
	if r.first, ok = position(first); !ok {
		return r, false
	}
	r.last, ok = position(last)
	return r, ok && r.first <= r.last
}

// position reads 1*DIGIT, at most openEnd however long it is.
func position(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		n = openEnd
	}
	return n, true
}

// within returns where the range begins and ends in size bytes; ok is false when nothing
// of it is there.
func (r byteRange) within(size int64) (first, end int64, ok bool) {
	if r.suffix {
		return size - min(r.last, size), size, r.last > 0
	}
	return r.first, min(r.last, size-1) + 1, r.first < size
}

// contentRange says which bytes of how many a part has; end is the one after the last.
func contentRange(first, end int64, size int) string {
	return "bytes " + strconv.FormatInt(first, 10) + "-" + strconv.FormatInt(end-1, 10) + "/" + strconv.Itoa(size)
}
