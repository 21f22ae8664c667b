package ginasync

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"
)

// bodyTooLargeError refuses a body over the limit.
type bodyTooLargeError struct {
	limit int64 // in bytes
}

func (e *bodyTooLargeError) Error() string {
	return "ginasync: this route takes at most " + strconv.FormatInt(e.limit, 10) + " bytes of body"
}

// Is makes it an errBodyTooLarge, whatever the limit.
func (*bodyTooLargeError) Is(target error) bool { return target == errBodyTooLarge }

var (
	errBodyTooLarge = errors.New("ginasync: the request body is too large")
	// errBodyTruncated is wrapped, with its cause, when the body ended early.
	errBodyTruncated = errors.New("ginasync: the request body could not be read to its end")
	// errBodyConsumed says that there is nothing left of a body to store, or only a
	// part of it.
	errBodyConsumed = errors.New("ginasync: a middleware before Async has read the request body, or replaced it by " +
		"a shorter one; let it put the body back and set Request.ContentLength to its length, " +
		"bind with c.ShouldBindBodyWith, or run it in the worker instead")
)

const (
	// maxPresize bounds what a Content-Length alone makes us allocate. Beyond it
	// the buffer grows with the data that really arrives.
	maxPresize = 64 << 10
	// endRoom lets the read that finds the end of a body succeed without growing.
	endRoom = 64
)

// bodyRoom is how much to allocate for a body of the declared length.
func bodyRoom(declared int64) int {
	return int(min(max(declared, 0), maxPresize)) + endRoom
}

// readBody appends the body of c's request to dst.
func readBody(dst []byte, c *gin.Context, maxBody int64) ([]byte, error) {
	start := len(dst)
	dst, err := readRest(dst, c, maxBody)
	if err != nil {
		return nil, err
	}
	if !mayBeConsumed(c.Request, int64(len(dst)-start)) {
		return dst, nil
	}
	body, ok := consumedBody(c)
	if !ok && (c.Request.ContentLength > 0 || c.Request.MultipartForm != nil) {
		return nil, errBodyConsumed
	}
	if int64(len(body)) > maxBody {
		return nil, &bodyTooLargeError{limit: maxBody}
	}
	return append(dst[:start], body...), nil
}

// readRest appends what there is still to read of the body.
func readRest(dst []byte, c *gin.Context, maxBody int64) ([]byte, error) {
	r := c.Request
	if r.Body == nil || r.Body == http.NoBody {
		return dst, nil
	}
	body := r.Body
	if r.ContentLength < 0 {
		// The limit is set on the server's own writer: gin's hides from the reader the
		// method that makes the server close the connection. A body of known length was
		// refused before, unless a middleware has replaced it.
		body = http.MaxBytesReader(serverWriter(c.Writer), body, maxBody)
	}
	dst, err := appendAll(dst, body, r.ContentLength, maxBody)
	if err != nil {
		return nil, bodyError(err)
	}
	return dst, nil
}

// mayBeConsumed reports whether a middleware has read the body, or a part of it,
// before the given number of bytes was read. A body of unknown length of which
// nothing is left may as well have been empty.
func mayBeConsumed(r *http.Request, read int64) bool {
	if r.ContentLength < 0 {
		return read == 0
	}
	return read < r.ContentLength
}

// appendAll appends what r yields until its end, at most limit bytes.
func appendAll(dst []byte, r io.Reader, declared, limit int64) ([]byte, error) {
	start := len(dst)
	for {
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if int64(len(dst)-start) > limit {
			return nil, &http.MaxBytesError{Limit: limit}
		}
		if errors.Is(err, io.EOF) {
			return dst, nil
		}
		if err != nil {
			return nil, err
		}
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, growth(len(dst)-start, declared))
		}
	}
}

// growth doubles what was read, but not beyond the declared length.
func growth(read int, declared int64) int {
	more := max(read, minGrowth)
	if rest := declared - int64(read); rest >= 0 && rest < int64(more) {
		more = int(rest) + endRoom
	}
	return more
}

const minGrowth = 4 << 10

// bodyError turns a failure to read the body into ours.
func bodyError(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &bodyTooLargeError{limit: tooLarge.Limit}
	}
	if errors.Is(err, http.ErrBodyReadAfterClose) {
		return errBodyConsumed
	}
	return fmt.Errorf("%w: %w", errBodyTruncated, err)
}

// consumedBody finds a body that a middleware has read: the bytes that
// c.ShouldBindBodyWith keeps, or the fields of a parsed form. A parsed multipart
// form cannot be turned back into its body.
func consumedBody(c *gin.Context) ([]byte, bool) {
	if kept, ok := c.Get(gin.BodyBytesKey); ok {
		if body, ok := kept.([]byte); ok && len(body) > 0 {
			return body, true
		}
	}
	if c.ContentType() == gin.MIMEPOSTForm && len(c.Request.PostForm) > 0 {
		return []byte(c.Request.PostForm.Encode()), true
	}
	return nil, false
}

// serverWriter is the writer below all wrappers.
func serverWriter(w http.ResponseWriter) http.ResponseWriter {
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = wrapper.Unwrap()
	}
}

// bodyReader is a request body over bytes in memory.
type bodyReader struct {
	bytes.Reader
}

// Close does nothing: there is nothing to give back.
func (*bodyReader) Close() error { return nil }

func newBody(body []byte) io.ReadCloser {
	if len(body) == 0 {
		return http.NoBody
	}
	r := new(bodyReader)
	r.Reset(body)
	return r
}
