package ginasync

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
)

// serve answers a request to an async route.
func (m *Manager) serve(c *gin.Context, r *route) {
	switch r.method {
	case http.MethodOptions:
		c.Header("Allow", r.allow)
		c.Header("Cache-Control", "no-store")
		c.Status(http.StatusNoContent)
	case http.MethodHead:
		c.Header("Allow", r.allow)
		m.fail(c, errMethod)
	default:
		m.submit(c, r)
	}
}

// submit makes the request a job and answers 202, or with what the handler answers
// when the client or the route wants to wait for that. The order matters: whatever can
// be refused is refused before the job is stored, and it is stored before the answer.
func (m *Manager) submit(c *gin.Context, r *route) {
	c.Writer.Header().Add("Vary", "Prefer")
	m.endings.of(c.Request)
	preferred := preferencesOf(c.Request.Header)
	callback, err := m.webhooks.callbackOf(c.Request.Header)
	if err != nil {
		m.refuse(c, err)
		return
	}
	job, err := m.newJob(c, r)
	if err != nil {
		m.refuse(c, err)
		return
	}
	inline := r.inline(preferred)
	if inline.wait > 0 {
		if inline.placed = m.watching.enter(); inline.placed {
			defer m.watching.exit()
		} else if inline.must {
			m.fail(c, errTooManyWatchers)
			return
		}
	}
	// The body is complete: from here on the client may go away, the job stays.
	ctx, cancel := lazyctx.Detached(c.Request.Context(), storeTimeout)
	defer cancel()
	stored, created, err := m.create(ctx, job, callback)
	if err == nil && !created { // the job of an earlier request with the same key
		c.Header("Idempotent-Replayed", "true")
	}
	switch {
	case err != nil:
		m.fail(c, err)
	case inline.placed:
		m.answerInline(c, stored, preferred, inline)
	default:
		preferred.waits = preferred.waits && preferred.wait == 0 // else there was no place to wait
		preferred.applied(c)
		m.answerAccepted(c, stored)
	}
}

// create stores a job. When events of it are to be sent, what looks after them is there
// too when it returns, or the outcome is unknown as after any error of the store.
func (m *Manager) create(ctx context.Context, job store.NewJob, callback string) (stored Job, created bool, err error) {
	job.Envelope = withCallback(job.Envelope, callback)
	stored, created, err = m.store.Create(ctx, job)
	if err != nil {
		return stored, created, err
	}
	if err := m.webhooks.watch(ctx, stored, callback, job.Retention); err != nil {
		// A store that is full here does not mean that nothing was stored.
		return stored, created, fmt.Errorf("ginasync: the lookout for webhooks was not stored: %v", err) //nolint:errorlint // see above
	}
	return stored, created, nil
}

// refuse answers a request that becomes no job. A body that is too large is not
// read: closing the connection keeps net/http from waiting for it, too.
func (m *Manager) refuse(c *gin.Context, err error) {
	var tooLarge *bodyTooLargeError
	if errors.As(err, &tooLarge) && c.Request.ProtoMajor == 1 {
		c.Header("Connection", "close")
	}
	m.fail(c, err)
}

// newJob reads and checks the request.
func (m *Manager) newJob(c *gin.Context, r *route) (store.NewJob, error) {
	owner, err := m.requester(c)
	if err != nil {
		return store.NewJob{}, err
	}
	key, err := r.idempotencyKeyOf(c.Request.Header)
	if err != nil {
		return store.NewJob{}, err
	}
	keys, err := captureKeys(c, r.cfg.keys)
	if err != nil {
		return store.NewJob{}, err
	}
	taken, err := capture(c, r.cfg.maxBody, keys, r.withheld)
	if err != nil {
		return store.NewJob{}, err
	}
	if r.endpoint.check != nil {
		if err := r.endpoint.check(c.Request, c.Params); err != nil {
			return store.NewJob{}, err
		}
	}
	if m.cfg.url != nil {
		public := m.cfg.url(c, c.Request.URL.EscapedPath())
		taken.envelope = appendPair(taken.envelope, "", pairURL, public)
	}
	job := store.NewJob{
		Route: r.name, Queue: r.cfg.queue, Owner: owner,
		MaxAttempts: r.cfg.maxAttempts, Delay: r.cfg.delay, Retention: r.cfg.retention,
		Request: taken.request, Envelope: taken.envelope,
		MaxWaiting: m.cfg.maxQueued, MaxWaitingOfOwner: m.cfg.maxQueuedPerOwner,
	}
	if key != "" {
		reserve(&job, key, c.Request, taken.body)
	}
	return job, nil
}

// answerAccepted sends the 202. Content-Location says that its content is what GET
// returns there (RFC 9110 §8.7); clients of other conventions read Location.
func (m *Manager) answerAccepted(c *gin.Context, job Job) {
	status := m.statusOf(c, job)
	header := c.Writer.Header()
	if self := status.Links.Self; self != "" {
		setHeaders(header, "Location", self, "Content-Location", self, "Cache-Control", "no-store")
	} else {
		setHeaders(header, "Cache-Control", "no-store")
	}
	setRetryAfter(c, status)
	m.cfg.accepted(c, status)
}
