package ginasync

import "github.com/gin-gonic/gin"

// WithAccepted replaces what writes the answer to a submission. The headers are set
// already; the function chooses status code and body. Default: 202 and the status
// document as JSON.
func WithAccepted(write func(c *gin.Context, status Status)) Option {
	return func(c *config) {
		c.notNil("WithAccepted", write == nil)
		c.accepted = write
	}
}

// WithStatus replaces what writes the answer to a status request, a cancel, a delete and
// a retry, one job each; the list, event streams and webhooks have the status documents
// as they are. The headers are set already; c.Writer.Status() is the status code meant:
// 200 or 202. Default: that code and the status document as JSON.
func WithStatus(write func(c *gin.Context, status Status)) Option {
	return func(c *config) {
		c.notNil("WithStatus", write == nil)
		c.status = write
	}
}

// WithErrorResponse replaces what writes the Manager's own errors. It never sees the answer
// of a handler. Cache-Control and Retry-After are set already. Default:
// application/problem+json (RFC 9457) with the problem's status code.
func WithErrorResponse(write func(c *gin.Context, problem Problem)) Option {
	return func(c *config) {
		c.notNil("WithErrorResponse", write == nil)
		c.failure = write
	}
}

// WithMaxWatchers bounds the requests of this process that wait for a job at once: long
// polls, event streams and submissions that wait for the answer. Over it a request does
// not fail: it is answered at once with what there is. Default: 10 000.
func WithMaxWatchers(n int) Option {
	return func(c *config) {
		if n < 1 {
			c.mistake("WithMaxWatchers must be at least 1, not %d", n)
		}
		c.maxWatchers = n
	}
}
