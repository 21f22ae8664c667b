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
)

// Routes registers the status routes on group: GET /:id, GET /:id/result, POST
// /:id/cancel and POST /:id/retry. The group's middleware guards them; without any,
// who knows a job's id may see and stop the job. Call it once, before Start; what is
// wrong with the call, Start returns.
func (m *Manager) Routes(group *gin.RouterGroup) {
	m.mu.Lock()
	defer m.mu.Unlock()
	path := strings.TrimRight(group.BasePath(), "/")
	switch {
	case m.statusPath != "":
		m.statusErr = errStatusTwice
		return
	case strings.ContainsAny(path, ":*"):
		m.statusErr = errStatusParams
		return
	}
	m.statusPath = path
	group.GET("/:id", m.showStatus)
	group.HEAD("/:id", m.showStatus)
	group.GET("/:id/result", m.showResult)
	group.HEAD("/:id/result", m.showResult)
	group.POST("/:id/cancel", m.cancel)
	group.POST("/:id/retry", m.retry)
}

// Links are the URLs of a job; those that make no sense in its state are left out.
type Links struct {
	Self   string `json:"self,omitempty"`
	Result string `json:"result,omitempty"`
	Cancel string `json:"cancel,omitempty"`
	Retry  string `json:"retry,omitempty"`
}

// linksOf returns the URLs of a job, none when there are no status routes. The Host
// header plays no part: whoever sends it must not decide where clients go.
func (m *Manager) linksOf(job Job) Links {
	if m.statusPath == "" {
		return Links{}
	}
	self := m.cfg.baseURL + m.statusPath + "/" + job.ID
	links := Links{Self: self, Result: self + "/result"}
	if !job.State.Terminal() {
		links.Cancel = self + "/cancel"
	}
	if job.State == store.Failed {
		links.Retry = self + "/retry"
	}
	return links
}
