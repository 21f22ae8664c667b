package ginasync

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
	"github.com/gin-gonic/gin"
)

// recorder is the http.ResponseWriter of a run. It behaves as net/http's does,
// and keeps the response instead of sending it. Like net/http's it is for the
// handler's goroutine only.
type recorder struct {
	// What the prologue puts in place. The request's context ends with the run.
	request *http.Request
	params  gin.Params
	set     func(*gin.Context)
	writer  handlerWriter

	header   http.Header // the handler's, until WriteHeader
	sent     http.Header // a copy made by WriteHeader, which later changes do not reach
	status   int         // 0 until WriteHeader
	declared int64       // the handler's Content-Length, or -1
	written  int64
	body     []byte
	settled  bool // whether the Content-Type is decided on
	limit    int64
	tooLarge bool
	err      error // the last of c.Errors

	ctx    lazyctx.Context // of the run
	gone   chan bool       // closed when the context ends; nil until asked for
	forget func() bool     // ends the watch for it
}

// sniffLength is how much of a body net/http looks at to guess its type.
const sniffLength = 512

// maxHeader bounds the headers of a response in bytes, names and line ends
// included. It is apart from the limit for results, which is that of the body.
const maxHeader = 64 << 10

func newRecorder(r *http.Request, limit int64) *recorder {
	return &recorder{request: r, limit: limit, header: make(http.Header), declared: -1}
}

// begin gives the run a context of its own, until close.
func (w *recorder) begin(ctx context.Context) {
	w.ctx.Init(ctx)
	w.request = w.request.WithContext(&w.ctx) //nolint:contextcheck // it ends with ctx
}

// Header returns the headers that the first WriteHeader, Write or Flush will take.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader decides status and headers, once. Informational responses are
// allowed before and leave no trace. 101 is taken for one of them: there is no
// connection that could switch protocols, now or when the result is fetched.
func (w *recorder) WriteHeader(code int) {
	if w.status != 0 {
		return
	}
	if code < 100 || code > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", code))
	}
	if code < 200 {
		return
	}
	w.status = code
	w.sent = w.header.Clone()
	if length, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64); err == nil && length >= 0 {
		w.declared = length
	}
	if headerSize(w.sent) > maxHeader {
		w.overflow()
	}
}

// Write records a part of the body.
func (w *recorder) Write(p []byte) (int, error) { return record(w, p) }

// WriteString is Write for strings.
func (w *recorder) WriteString(s string) (int, error) { return record(w, s) }

func record[T []byte | string](w *recorder, p T) (int, error) {
	w.WriteHeader(http.StatusOK)
	switch {
	case len(p) == 0:
		return 0, nil
	case !bodyAllowed(w.status):
		return 0, http.ErrBodyNotAllowed
	case w.tooLarge:
		return 0, errResultTooLarge
	}
	w.written += int64(len(p))
	if w.declared >= 0 && w.written > w.declared {
		return 0, http.ErrContentLength
	}
	if w.request.Method == http.MethodHead {
		// Nobody will see it, but its type shows in the headers.
		w.body = append(w.body, p[:min(len(p), sniffLength-len(w.body))]...)
		return len(p), nil
	}
	if w.written > w.limit {
		w.overflow()
		return 0, errResultTooLarge
	}
	w.body = append(w.body, p...)
	return len(p), nil
}

// overflow gives up a response over a limit and asks the handler to stop.
func (w *recorder) overflow() {
	w.tooLarge = true
	w.body = nil
	w.ctx.Cancel(errResultTooLarge)
}

// Flush decides what net/http would have sent by now: status, headers, and the
// Content-Type by what was written so far.
func (w *recorder) Flush() {
	w.WriteHeader(http.StatusOK)
	w.settleType()
}

// settleType guesses the Content-Type where net/http does: there is a body, it is
// not encoded, and the handler did not set the header, not even to nil.
func (w *recorder) settleType() {
	if w.settled {
		return
	}
	w.settled = true
	_, typed := w.sent["Content-Type"]
	if typed || len(w.body) == 0 || w.sent.Get("Content-Encoding") != "" || w.sent.Get("Transfer-Encoding") != "" {
		return
	}
	w.sent["Content-Type"] = []string{http.DetectContentType(w.body)}
}

// CloseNotify returns a channel that is closed when the context of the run ends,
// which makes c.Stream stop.
func (w *recorder) CloseNotify() <-chan bool {
	if w.gone == nil {
		gone := make(chan bool)
		w.gone = gone
		w.forget = context.AfterFunc(w.request.Context(), func() { close(gone) })
	}
	return w.gone
}

// Hijack is refused: there is no connection.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}

// finish decides what is still open and returns the response.
func (w *recorder) finish() recorded {
	w.WriteHeader(http.StatusOK)
	w.settleType()
	short := w.short()
	if w.request.Method == http.MethodHead {
		w.body = nil
	}
	if w.status == http.StatusNotModified {
		w.sent.Del("Content-Type")
	}
	return recorded{status: w.status, header: w.sent, body: w.body, err: w.err, tooLarge: w.tooLarge, short: short}
}

// short reports whether less was written than the handler declared. net/http
// closes the connection then, so that the client notices.
func (w *recorder) short() bool {
	return int64(len(w.body)) < w.declared && !w.tooLarge &&
		w.request.Method != http.MethodHead && bodyAllowed(w.status)
}

// close ends the run, and the watch that CloseNotify began.
func (w *recorder) close() {
	if w.forget != nil {
		w.forget()
	}
	w.ctx.Cancel(nil)
}

// handlerWriter is what the handlers see as c.Writer: gin's own, but for Hijack.
// gin's takes the header for written once it was called, even when it is refused,
// and would not let the handler answer with an error.
type handlerWriter struct{ gin.ResponseWriter }

// Hijack is refused: there is no connection.
func (*handlerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}

// Unwrap leads to the recorder, by way of gin's writer.
func (w *handlerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
