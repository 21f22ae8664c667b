package ginasync

import (
	"errors"
	"strings"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
)

var (
	errStatusTwice  = errors.New("Routes was called twice: a Manager has one status group")
	errStatusParams = errors.New("the status group's path must not have parameters: a job's URL is the same for everybody")
	errStatusNil    = errors.New("Routes needs a group, such as engine.Group(\"/jobs\"), not nil")
)

// statusGroup is where the status routes are.
type statusGroup struct {
	there bool
	path  string // without a slash at its end; empty at the root
	err   error  // a mistake in the call of Routes
}

// Routes registers the status routes on group: GET /:id, GET /:id/result, GET
// /:id/events, POST /:id/cancel, POST /:id/retry and DELETE /:id; with [WithOwner] also
// GET on the group itself, the list. The group's middleware guards them; without
// WithOwner, who knows a job's id may see and stop the job. Call it once, before Start;
// what is wrong with the call, Start returns. After Start it does nothing but log an
// error.
func (m *Manager) Routes(group *gin.RouterGroup) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started {
		m.log.Error("ginasync: Routes was called after Start: call it before")
		return
	}
	if m.status.err = m.mountError(group); m.status.err != nil {
		return
	}
	m.status = statusGroup{there: true, path: strings.TrimRight(group.BasePath(), "/")}
	if m.cfg.openAPI != (openAPIInfo{}) {
		group.GET("/openapi.json", m.showOpenAPI)
		group.HEAD("/openapi.json", m.showOpenAPI)
	}
	group.GET("/:id", m.attended(m.showStatus))
	group.HEAD("/:id", m.attended(m.showStatus))
	group.GET("/:id/result", m.attended(m.showResult))
	group.HEAD("/:id/result", m.attended(m.showResult))
	group.GET("/:id/events", m.attended(m.showEvents))
	group.HEAD("/:id/events", m.attended(m.showEvents))
	group.POST("/:id/cancel", m.attended(m.cancel))
	group.POST("/:id/retry", m.attended(m.retry))
	group.DELETE("/:id", m.attended(m.remove))
	if m.cfg.owner != nil {
		group.GET("", m.attended(m.showList))
		group.HEAD("", m.attended(m.showList))
	}
}

// attended does for a handler what all of them need: the answer varies by Prefer, as RFC
// 7240 §2 wants it whether or not there was one, and the end of the server is listened
// for before it may come. When ids are the secret, a page that an answer opens must not
// tell where it came from.
func (m *Manager) attended(handler gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Writer.Header().Add("Vary", "Prefer")
		if m.cfg.owner == nil {
			c.Header("Referrer-Policy", "no-referrer")
		}
		m.endings.of(c.Request)
		handler(c)
	}
}

// mountError says why the status routes cannot be on group.
func (m *Manager) mountError(group *gin.RouterGroup) error {
	switch {
	case group == nil:
		return errStatusNil
	case m.status.there:
		return errStatusTwice
	case strings.ContainsAny(group.BasePath(), ":*"):
		return errStatusParams
	default:
		return nil
	}
}

// Links are the URLs of a job. Events and Cancel are there until the job is over, Retry
// when it has failed, Result unless it was canceled.
type Links struct {
	Self   string `json:"self,omitempty"`
	Result string `json:"result,omitempty"`
	Events string `json:"events,omitempty"`
	Cancel string `json:"cancel,omitempty"`
	Retry  string `json:"retry,omitempty"`
}

// linksOf returns the URLs of a job for the client of c, none when there are no status
// routes. Without a request to answer c is nil. The Host header plays no part: whoever
// sends it must not decide where clients go.
func (m *Manager) linksOf(c *gin.Context, job Job) Links {
	if !m.status.there {
		return Links{}
	}
	written := c != nil && m.cfg.url != nil
	base := m.cfg.baseURL
	if written {
		base = ""
	}
	links := under(base+m.status.path+"/"+job.ID, job.State)
	if written {
		links.rewrite(func(path string) string { return m.cfg.url(c, path) })
	}
	return links
}

// under returns the links of a job in that state whose own URL is self.
func under(self string, state store.State) Links {
	switch state {
	case store.Queued, store.Scheduled, store.InProgress:
		// One string for all three: each submission has them.
		all := self + "/result" + self + "/events" + self + "/cancel"
		size := len(self) + len("/result")
		return Links{Self: self, Result: all[:size], Events: all[size : 2*size], Cancel: all[2*size:]}
	case store.Failed:
		return Links{Self: self, Result: self + "/result", Retry: self + "/retry"}
	case store.Canceled:
		return Links{Self: self}
	case store.Completed:
	}
	return Links{Self: self, Result: self + "/result"}
}

// urlOf returns the URL of a path for the client of c; empty when it is to have none.
func (m *Manager) urlOf(c *gin.Context, path string) string {
	if m.cfg.url != nil {
		return m.cfg.url(c, path)
	}
	return m.cfg.baseURL + path
}

// rewrite replaces each URL that is there.
func (l *Links) rewrite(write func(path string) string) {
	for _, link := range [...]*string{&l.Self, &l.Result, &l.Events, &l.Cancel, &l.Retry} {
		if *link != "" {
			*link = write(*link)
		}
	}
}
