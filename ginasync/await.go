package ginasync

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// errTimeUp ends a wait that lasted as long as it should.
var errTimeUp = errors.New("ginasync: the wait is over")

// await waits at most d until a job is as wanted, and returns it as it was last seen,
// that way or not. The errors errTooManyWatchers and errEnding come with the job too;
// others are store.ErrNotFound, the store's, and why the request's context is done.
// Nothing is written meanwhile.
func (m *Manager) await(c *gin.Context, job Job, d time.Duration, wanted func(Job) bool) (Job, error) {
	if !m.watching.enter() {
		return job, errTooManyWatchers
	}
	defer m.watching.exit()
	return m.awaitInPlace(c, job, d, wanted)
}

// awaitInPlace is await for a caller that has a watcher's place.
func (m *Manager) awaitInPlace(c *gin.Context, job Job, d time.Duration, wanted func(Job) bool) (Job, error) {
	request := c.Request.Context()
	ended := m.endings.of(c.Request)
	d, restore := liftWriteTimeout(c, d)
	defer restore()
	ctx, cancel := context.WithTimeoutCause(request, d, errTimeUp)
	defer cancel()
	watched, err := m.watching.join(ctx, job.ID)
	if err != nil {
		return job, orTimeUp(err)
	}
	defer m.watching.part(watched)
	latest, err := m.Get(request, job.ID)
	for err == nil {
		if job = latest; wanted(job) {
			return job, nil
		}
		latest, err = watched.next(ctx, ended, job.Version)
	}
	return job, orTimeUp(err)
}

// orTimeUp makes the end of the time no error.
func orTimeUp(err error) error {
	if errors.Is(err, errTimeUp) {
		return nil
	}
	return err
}

// waitAsPreferred waits for a job as long as Prefer: wait allows. waited says that the
// preference was honoured, as Preference-Applied tells the client, and so that there is
// no need for it to pause before it asks again. Too many watchers and a shutdown make
// the wait shorter and are no errors.
func (m *Manager) waitAsPreferred(c *gin.Context, job Job, wanted func(Job) bool) (latest Job, waited bool, err error) {
	p := preferencesOf(c.Request.Header)
	if !p.waits {
		return job, false, nil
	}
	if p.wait > 0 && !wanted(job) {
		job, err = m.await(c, job, p.wait, wanted)
		if errors.Is(err, errTooManyWatchers) || errors.Is(err, errEnding) {
			return job, false, nil
		}
	}
	if err == nil {
		preferences{waits: true, wait: p.wait}.applied(c)
	}
	return job, p.wait > 0, err
}

// over reports whether a job is in a terminal state.
func over(job Job) bool { return job.State.Terminal() }

// statusClientGone is what an access log shows of a request whose client did not wait
// for the answer; nobody gets it.
const statusClientGone = 499

// failWait answers a request whose wait ended with an error.
func (m *Manager) failWait(c *gin.Context, err error) {
	if c.Request.Context().Err() != nil {
		c.AbortWithStatus(statusClientGone)
		return
	}
	m.fail(c, err)
}

// liftWriteTimeout lets a request wait longer than its server's WriteTimeout, which
// counts from the time the request was read. restore starts it anew, for writing the
// answer. When a middleware hides the connection, the wait is cut to half the
// time.
func liftWriteTimeout(c *gin.Context, wait time.Duration) (allowed time.Duration, restore func()) {
	server, _ := c.Request.Context().Value(http.ServerContextKey).(*http.Server)
	if server == nil || server.WriteTimeout <= 0 {
		return wait, func() {}
	}
	controller := http.NewResponseController(c.Writer)
	if controller.SetWriteDeadline(time.Time{}) != nil {
		return min(wait, server.WriteTimeout/2), func() {}
	}
	return wait, func() {
		// It could be set a moment ago.
		_ = controller.SetWriteDeadline(time.Now().Add(server.WriteTimeout))
	}
}
