package ginasync

import (
	"errors"

	"github.com/gin-gonic/gin"
)

// errNoOwner refuses a request of which WithOwner does not know whose it is.
var errNoOwner = errors.New("ginasync: the request has no owner")

// WithOwner gives each job an owner, who alone may follow it: owner returns who sends a
// request, as the middleware before it found out, for example
//
//	func(c *gin.Context) string { return c.GetString("user") }
//
// It is called once for a request, also for those to the status routes: both need the
// middleware. The text is compared as it is and stored in the clear. Never take it from
// what a client may choose, such as a header that nobody has checked.
//
// The empty text is nobody: such a submission, and such a list, is refused with 403
// (owner-unknown), and no job is found by it on the status routes, not even one without
// an owner, as it was stored before there was WithOwner. To let strangers share jobs,
// return a text that stands for all of them.
//
// With it there is GET on the status group itself, which lists the caller's jobs.
//
// Default: none. Jobs have no owners then, who knows an id may see and stop the job, and
// there is no list.
func WithOwner(owner func(c *gin.Context) string) Option {
	return func(c *config) {
		c.notNil("WithOwner", owner == nil)
		c.owner = owner
	}
}

// ownerOf returns whose request it is; empty without WithOwner, and when it is nobody's.
func (m *Manager) ownerOf(c *gin.Context) string {
	if m.cfg.owner == nil {
		return ""
	}
	return m.cfg.owner(c)
}

// requester is ownerOf for a request that needs an owner. Errors: errNoOwner.
func (m *Manager) requester(c *gin.Context) (string, error) {
	owner := m.ownerOf(c)
	if owner == "" && m.cfg.owner != nil {
		return "", errNoOwner
	}
	return owner, nil
}
