package ginasync

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
)

// readResult reads what the handler answered. When it cannot, it answers the request
// itself.
func (m *Manager) readResult(c *gin.Context, job Job, data []byte) (r recorded, ok bool) {
	var err error
	r.status, r.header, r.body, err = decodeResponse(data)
	if errors.Is(err, errSealed) {
		err = m.keys.whySealed(data)
	}
	if err != nil {
		m.fail(c, fmt.Errorf("job %s: %w", job.ID, err))
		return recorded{}, false
	}
	return r, true
}

// sendRecorded sends what the handler answered.
func sendRecorded(c *gin.Context, r recorded) {
	to := c.Writer.Header()
	mergeHeader(to, r.header)
	setResultHeaders(to, r.status)
	sendBody(c, r.status, r.body)
}

// sendBody sends a status and a body, whose headers are set.
func sendBody(c *gin.Context, status int, body []byte) {
	if bodyAllowed(status) {
		c.Writer.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	c.Status(status)
	if len(body) == 0 || !bodyAllowed(status) || c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return
	}
	// Not before the body: middleware that encodes it decides about headers only now.
	_, _ = c.Writer.Write(body) // an error means that the client is gone
}

// mergeHeader puts the handler's headers into those of the answer, which the middleware
// of the status group has begun. Where both sides may have something to say, both do.
func mergeHeader(to, handlers http.Header) {
	for name, values := range handlers {
		switch name {
		case "Vary":
			values = mergeVary(to[name], values)
		case "Preference-Applied", "Link":
			values = append(to[name], values...)
		}
		to[name] = values
	}
	if _, typed := to["Content-Type"]; !typed {
		to["Content-Type"] = nil // the handler gave none: nothing is to be guessed
	}
}

// mergeVary adds the names that are not there yet.
func mergeVary(there, more []string) []string {
	for _, line := range more {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name != "" && !hasElement(there, name) {
				there = append(there, name)
			}
		}
	}
	return there
}

// setResultHeaders adds what every replay has. A result is never cached: a GET's
// 200 might be without being asked to.
func setResultHeaders(h http.Header, status int) {
	h.Del(asyncResult) // the handler's own would stand beside it
	h[asyncResult] = []string{strconv.Itoa(status)}
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}

// bodyAllowed reports whether an answer with that status may have content (RFC 9110
// §6.4.1).
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
