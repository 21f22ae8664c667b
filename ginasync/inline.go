package ginasync

import (
	"errors"
	"math"
	"time"

	"github.com/gin-gonic/gin"
)

// errNotAwaited ends the request of a client that counts on the handler's own answer
// before there is one.
var errNotAwaited = errors.New("ginasync: the answer was not awaited")

// untilDone is a wait that only the job, the client or a shutdown ends.
const untilDone time.Duration = math.MaxInt64

// Wait lets a submission wait up to d for what the handler answers, and answer with
// that as the result route would; 202 when it takes longer. A client's Prefer: wait=N
// comes before d, and with Prefer: respond-async alone it gets its 202 at once. Of Wait
// and [OnPrefer] the later one counts. Default: no wait.
func Wait(d time.Duration) RouteOption {
	return func(c *routeConfig) {
		if d <= 0 {
			c.mistake("Wait must be above zero, not %v: leave the option out for no wait", d)
		}
		c.wait = d
	}
}

// OnPrefer makes the route asynchronous for those alone who ask for it, with Prefer:
// respond-async for a 202 at once, or with Prefer: wait=N for one after N seconds, 30 at
// most. Others wait for what the handler answers, as long as it takes, retries
// included, and get it as from the result route. It is a job for them too: it goes on
// when they go away. They never get a 202: when as many requests wait as
// [WithMaxWatchers] allows, and when the server shuts down before there is an answer,
// they get 503; in the latter case Location has the job's URL. Default: asynchronous for
// all.
func OnPrefer() RouteOption {
	return func(c *routeConfig) { c.wait = untilDone }
}

// inlineWait is how a submission waits for the handler's answer.
type inlineWait struct {
	wait   time.Duration // 0: not at all
	must   bool          // the client knows nothing of 202
	placed bool          // it has a watcher's place
}

// inline says how a submission waits: as the client wants it, or as the route does.
func (r *route) inline(p preferences) inlineWait {
	switch {
	case p.waits:
		return inlineWait{wait: p.wait}
	case p.respondAsync:
		return inlineWait{}
	default:
		return inlineWait{wait: r.cfg.wait, must: r.cfg.wait == untilDone}
	}
}

// answerInline answers a submission with its result if that is there in time, else 202.
func (m *Manager) answerInline(c *gin.Context, stored Job, p preferences, inline inlineWait) {
	job, err := m.awaitInPlace(c, stored, inline.wait, over)
	if c.Request.Context().Err() != nil {
		c.AbortWithStatus(statusClientGone)
		return
	}
	if err == nil && over(job) {
		var data []byte
		if job, data, err = m.result(c.Request.Context(), stored.ID); err == nil || errors.Is(err, errJobCanceled) {
			p.applied(c)
			m.linkMonitor(c, job)
			m.answerResult(c, job, data, err)
			return
		}
		job = stored
	}
	if inline.must {
		c.Header("Location", m.linksOf(c, job).Self)
		m.fail(c, errors.Join(errNotAwaited, err))
		return
	}
	p.waits = p.waits && err == nil // else it was cut short
	p.applied(c)
	m.answerAccepted(c, job)
}

// linkMonitor tells whoever got the handler's own answer where its job is (RFC 5989).
func (m *Manager) linkMonitor(c *gin.Context, job Job) {
	if self := m.linksOf(c, job).Self; self != "" {
		c.Writer.Header().Add("Link", "<"+self+`>; rel="monitor"`)
	}
}
