package ginasync

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
)

// showStatus answers GET /:id. It is 200 while the job exists, whatever became of
// it: the state is in the document, so that a failed poll and a failed job are not
// mixed up. With Prefer: wait it answers when there is something to tell: with
// If-None-Match when the document is another one, else when the job is over.
func (m *Manager) showStatus(c *gin.Context) {
	job, err := m.find(c, ActionRead)
	if err != nil {
		m.fail(c, err)
		return
	}
	known := c.Request.Header.Values("If-None-Match")
	news := over
	if len(known) > 0 {
		news = func(job Job) bool { return !matches(known, etag(job)) }
	}
	job, waited, err := m.waitAsPreferred(c, job, news)
	if err != nil {
		m.failWait(c, err)
		return
	}
	tag := etag(job)
	c.Header("ETag", tag)
	status := m.statusOf(c, job)
	if waited {
		status.RetryAfter = 0
	}
	if matches(known, tag) {
		setStatusHeaders(c, status)
		c.Status(http.StatusNotModified)
		return
	}
	m.sendStatus(c, http.StatusOK, status)
}

// answerStatus sends the status document with its headers.
func (m *Manager) answerStatus(c *gin.Context, code int, job Job) {
	m.sendStatus(c, code, m.statusOf(c, job))
}

func (m *Manager) sendStatus(c *gin.Context, code int, status Status) {
	setStatusHeaders(c, status)
	c.Status(code)
	m.cfg.status(c, status)
}

// setStatusHeaders lets a client keep the document and makes it ask each time.
func setStatusHeaders(c *gin.Context, status Status) {
	c.Header("Cache-Control", "private, no-cache")
	setRetryAfter(c, status)
}

func setRetryAfter(c *gin.Context, status Status) {
	if !status.Done {
		c.Header("Retry-After", strconv.FormatInt(status.RetryAfter, 10))
	}
}

// etag is strong (RFC 9110 §8.8.3): the version changes with whatever is visible of
// the job. retry_after is advice for the moment and does not count.
func etag(job Job) string {
	return `"` + strconv.FormatInt(job.Version, 10) + `"`
}

// matches compares If-None-Match with a tag, weakly (RFC 9110 §13.1.2).
func matches(fields []string, tag string) bool {
	for _, field := range fields {
		for candidate := range strings.SplitSeq(field, ",") {
			candidate = strings.TrimSpace(candidate)
			if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
				return true
			}
		}
	}
	return false
}

// Get returns the job as it is now, whosever it is. Errors: store.ErrNotFound, also for an id of
// another form; any other error is the store's.
func (m *Manager) Get(ctx context.Context, id string) (Job, error) {
	if !store.ValidID(id) {
		return Job{}, store.ErrNotFound
	}
	ctx, cancel := lazyctx.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return m.store.Get(ctx, id)
}
