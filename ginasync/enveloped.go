package ginasync

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

// asksForEnvelope reports whether the result is wanted in an envelope, by ?envelope=1.
func asksForEnvelope(u *url.URL) bool {
	if u.RawQuery == "" {
		return false
	}
	asked, err := strconv.ParseBool(u.Query().Get("envelope"))
	return err == nil && asked
}

// answerEnveloped sends the handler's answer as a document. It is for clients that
// must not see its status itself: a browser follows a 303 and asks for a password on a
// 401. Without data it is the problem that stands for an answer.
func (m *Manager) answerEnveloped(c *gin.Context, job Job, data []byte) {
	if data == nil {
		data = m.recordProblem(c, problemOfJob(job.Problem))
	}
	r, ok := m.readResult(c, job, data)
	if !ok {
		return
	}
	setResultHeaders(c.Writer.Header(), r.status)
	c.Header("Content-Type", "application/json; charset=utf-8")
	sendBody(c, http.StatusOK, r.envelope())
}

// recordProblem returns what a problem looks like as an answer to GET, in the format of
// stored results.
func (m *Manager) recordProblem(c *gin.Context, p Problem) []byte {
	r := c.Request.WithContext(c.Request.Context())
	r.Method = http.MethodGet
	w := newRecorder(r, math.MaxInt64)
	inner := gin.CreateTestContextOnly(w, m.engine)
	inner.Request, inner.Params, inner.Keys = r, c.Params, c.Keys
	m.cfg.failure(inner, p)
	inner.Writer.WriteHeaderNow()
	return encodeResponse(w.finish(), nil).Data
}

// envelope writes {"status": …, "headers": {…}, "body": …}. Names of headers are in lower
// case, several values of one are joined as RFC 9110 §5.3 allows.
func (r *recorded) envelope() []byte {
	names := make([]string, 0, len(r.header))
	for name := range r.header {
		names = append(names, name)
	}
	slices.Sort(names)
	dst := make([]byte, 0, headSlack+2*headerSize(r.header)+len(r.body)*3/2)
	dst = append(dst, `{"status":`...)
	dst = strconv.AppendInt(dst, int64(r.status), 10)
	dst = append(dst, `,"headers":{`...)
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, strings.ToLower(name))
		dst = append(dst, ':')
		dst = appendString(dst, strings.Join(r.header[name], ", "))
	}
	dst = append(dst, '}')
	dst = r.appendContent(dst)
	return append(dst, '}')
}

// appendContent appends the body as a member: JSON as it stands, text as a string, all
// else, and what only claims to be one of these, in base64. An empty body has no member.
func (r *recorded) appendContent(dst []byte) []byte {
	const asBody, asBase64 = `,"body":`, `,"body_base64":"`
	if len(r.body) == 0 {
		return dst
	}
	isText, isJSON := r.readable()
	switch {
	case isJSON && json.Valid(r.body):
		return append(append(dst, asBody...), r.body...)
	case isText:
		return appendString(append(dst, asBody...), string(r.body))
	default:
		dst = base64.StdEncoding.AppendEncode(append(dst, asBase64...), r.body)
		return append(dst, '"')
	}
}

// readable reports whether the body is text that a JSON string can hold, and whether it
// is said to be JSON. An encoded body is neither.
func (r *recorded) readable() (isText, isJSON bool) {
	mediaType, params, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	if err != nil || len(r.header["Content-Encoding"]) > 0 || !utf8.Valid(r.body) {
		return false, false
	}
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "us-ascii":
	default:
		return false, false
	}
	isJSON = mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
	return isJSON || isTextType(mediaType), isJSON
}

// isTextType reports whether a media type, in lower case, is one for people to read.
func isTextType(mediaType string) bool {
	switch mediaType {
	case "application/xml", "application/javascript", "application/yaml", "application/x-www-form-urlencoded", "application/x-ndjson":
		return true
	}
	return strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "+xml")
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // never so for a string
		text = []byte(`""`)
	}
	return append(dst, text...)
}
