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
// The empty text is nobody: such a submission is refused with 403 (owner-unknown), and
// finds no job on the status routes, not even those without an owner, as they were
// stored before there was WithOwner. To let strangers share jobs, return a text that
// stands for all of them.
//
// Default: none. Jobs have no owners then, and who knows an id may see and stop the job.
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

// submitter is ownerOf for a request that needs an owner. Errors: errNoOwner.
func (m *Manager) submitter(c *gin.Context) (string, error) {
	owner := m.ownerOf(c)
	if owner == "" && m.cfg.owner != nil {
		return "", errNoOwner
	}
	return owner, nil
}
