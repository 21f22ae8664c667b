package ginasync

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// documents writes status documents: each answer of the Manager but errors and results
// is one, so they are written by hand, into memory that is used again.
type documents struct {
	buffers sync.Pool // of *[]byte
}

// writeAccepted is the default of WithAccepted.
func (d *documents) writeAccepted(c *gin.Context, status Status) {
	d.write(c, http.StatusAccepted, &status)
}

// writeStatus is the default of WithStatus.
func (d *documents) writeStatus(c *gin.Context, status Status) {
	d.write(c, c.Writer.Status(), &status)
}

// write answers as c.JSON would.
func (d *documents) write(c *gin.Context, code int, status *Status) {
	buffer, ok := d.buffers.Get().(*[]byte)
	if !ok {
		buffer = new(make([]byte, 0, 1024))
	}
	defer d.buffers.Put(buffer)
	*buffer = status.appendJSON((*buffer)[:0])
	header := c.Writer.Header()
	if len(header["Content-Type"]) == 0 {
		setHeaders(header, "Content-Type", "application/json; charset=utf-8")
	}
	c.Status(code)
	if _, err := c.Writer.Write(*buffer); err != nil {
		_ = c.Error(err) // the client is gone
	}
}

// setHeaders sets headers of one value, given as canonical name and value by turns. The
// values share one allocation.
func setHeaders(h http.Header, pairs ...string) {
	values := make([]string, len(pairs)/2)
	for i := range values {
		values[i] = pairs[2*i+1]
		h[pairs[2*i]] = values[i : i+1 : i+1]
	}
}

// appendJSON appends what json.Marshal makes of the document.
func (s *Status) appendJSON(dst []byte) []byte {
	dst = appendText(dst, `{"id":`, s.ID)
	dst = appendText(dst, `,"state":`, string(s.State))
	dst = strconv.AppendBool(append(dst, `,"done":`...), s.Done)
	dst = strconv.AppendInt(append(dst, `,"version":`...), s.Version, 10)
	dst = appendText(dst, `,"route":`, s.Route)
	dst = appendText(dst, `,"queue":`, s.Queue)
	dst = strconv.AppendInt(append(dst, `,"attempt":`...), int64(s.Attempt), 10)
	dst = strconv.AppendInt(append(dst, `,"max_attempts":`...), int64(s.MaxAttempts), 10)
	dst = appendInstant(dst, `,"created_at":`, s.CreatedAt)
	dst = appendInstant(dst, `,"started_at":`, s.StartedAt)
	dst = appendInstant(dst, `,"finished_at":`, s.FinishedAt)
	dst = appendInstant(dst, `,"expires_at":`, s.ExpiresAt)
	dst = appendInstant(dst, `,"next_attempt_at":`, s.NextAttemptAt)
	dst = appendInstant(dst, `,"cancel_requested_at":`, s.CancelRequestedAt)
	if s.Progress != nil {
		dst = appendMarshaled(append(dst, `,"progress":`...), s.Progress)
	}
	if r := s.Response; r != nil {
		dst = strconv.AppendInt(append(dst, `,"response":{"status":`...), int64(r.Status), 10)
		if r.ContentType != "" {
			dst = appendText(dst, `,"content_type":`, r.ContentType)
		}
		dst = strconv.AppendInt(append(dst, `,"bytes":`...), r.Bytes, 10)
		dst = append(dst, '}')
	}
	if s.Error != nil {
		dst = appendMarshaled(append(dst, `,"error":`...), s.Error)
	}
	if s.RetryAfter != 0 {
		dst = strconv.AppendInt(append(dst, `,"retry_after":`...), s.RetryAfter, 10)
	}
	dst = s.Links.appendJSON(append(dst, `,"links":`...))
	return append(dst, '}')
}

// appendJSON appends what json.Marshal makes of the links.
func (l *Links) appendJSON(dst []byte) []byte {
	open := len(dst)
	dst = append(dst, '{')
	for _, link := range [...]struct{ name, url string }{
		{`,"self":`, l.Self}, {`,"result":`, l.Result}, {`,"events":`, l.Events}, {`,"cancel":`, l.Cancel}, {`,"retry":`, l.Retry},
	} {
		switch {
		case link.url == "":
		case len(dst) == open+1:
			dst = appendText(dst, link.name[1:], link.url)
		default:
			dst = appendText(dst, link.name, link.url)
		}
	}
	return append(dst, '}')
}

// appendInstant appends a time that has come under its name.
func appendInstant(dst []byte, name string, t *time.Time) []byte {
	if t == nil {
		return dst
	}
	dst = append(append(dst, name...), '"')
	dst = t.AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

// plainInJSON has each character that stands for itself in a JSON string at its own place.
const plainInJSON = "................................" +
	" !.#$%.'()*+,-./0123456789:;.=.?" +
	"@ABCDEFGHIJKLMNOPQRSTUVWXYZ[.]^_" +
	"`abcdefghijklmnopqrstuvwxyz{|}~."

// appendText appends a string under its name.
func appendText(dst []byte, name, text string) []byte {
	dst = append(dst, name...)
	for i := range len(text) {
		if c := text[i]; c >= 0x80 || plainInJSON[c] != c {
			return appendMarshaled(dst, text)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, text...)
	return append(dst, '"')
}

// appendMarshaled appends what is rare, or takes more than copying.
func appendMarshaled(dst []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil { // a percentage that is no number, from a store that takes one
		return append(dst, "null"...)
	}
	return append(dst, text...)
}
