package ginasync

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
)

// errForbidden refuses what WithAuthorize does not allow.
var errForbidden = errors.New("ginasync: action is not allowed")

// Action is what a request to a status route wants to do with a job.
type Action string

// The actions, one for each status route. Submitting is none: a middleware before Async
// decides on that, when there is no job yet.
const (
	ActionRead   Action = "read"   // GET /:id
	ActionResult Action = "result" // GET /:id/result
	ActionEvents Action = "events" // GET /:id/events
	ActionCancel Action = "cancel" // POST /:id/cancel
	ActionRetry  Action = "retry"  // POST /:id/retry
	ActionDelete Action = "delete" // DELETE /:id
	ActionList   Action = "list"   // GET on the group, for each job that would be shown
)

// WithAuthorize asks before a status route does something with a job; nil allows it. It
// is asked after the owner was compared, so never about a job that the caller could not
// know of: see [WithOwner] and [WithAdmin]. Without WithOwner it is asked about every
// job there is. A request that waits or streams is asked for once, at its beginning.
//
// An error that is a [*Problem] is the answer as it is, with status 403 if it has none
// that is an error; store.ErrNotFound makes the answer the one for an unknown job; any
// other is a 403 (forbidden) that does not tell the reason, which is logged. For
// [ActionList] any error leaves the job out of the list. It may be called by many
// requests at once, and writes nothing to c.
//
// It guards the routes alone: the methods of [Manager] are for the application's own
// code and ask nobody. Default: what the owner may see, the owner may do.
func WithAuthorize(authorize func(c *gin.Context, job Job, action Action) error) Option {
	return func(c *config) {
		c.notNil("WithAuthorize", authorize == nil)
		c.authorize = authorize
	}
}

// WithAdmin lets requests for which admin is true follow the jobs of all owners, those
// without an owner too, by their ids; the list is of an admin's own jobs. What an admin
// may do there is for [WithAuthorize] to say, which is asked as for the owner; job.Owner
// tells whose it is.
// admin is called only when a job belongs to somebody else. It needs [WithOwner].
// Default: nobody.
func WithAdmin(admin func(c *gin.Context) bool) Option {
	return func(c *config) {
		c.notNil("WithAdmin", admin == nil)
		c.admin = admin
	}
}

// find reads the job of a request that wants to do something with it. Errors: those of
// Get, and why it may not.
func (m *Manager) find(c *gin.Context, action Action) (Job, error) {
	job, err := m.Get(c.Request.Context(), c.Param("id"))
	if err == nil {
		err = m.permit(c, &job, action)
	}
	if err != nil {
		return Job{}, err
	}
	return job, nil
}

// permitID is find for a request that does not need the job: the store is asked only
// when it matters whose that is. An owner never changes, so what is allowed now is
// allowed when it is done.
func (m *Manager) permitID(c *gin.Context, action Action) error {
	if m.cfg.owner == nil && m.cfg.authorize == nil {
		return nil
	}
	_, err := m.find(c, action)
	return err
}

// permit says why a request may not do something with a job; nil: it may. To a stranger
// the answer is that of a job that never was.
func (m *Manager) permit(c *gin.Context, job *Job, action Action) error {
	if m.cfg.owner != nil && !m.owns(c, job) && (m.cfg.admin == nil || !m.cfg.admin(c)) {
		return store.ErrNotFound
	}
	if m.cfg.authorize == nil {
		return nil
	}
	err := m.cfg.authorize(c, *job, action)
	if err != nil {
		err = m.refusal(c.Request.Context(), err, job, action)
	}
	return err
}

// owns compares in a time that does not tell how much of the owner was right.
func (m *Manager) owns(c *gin.Context, job *Job) bool {
	owner := m.ownerOf(c)
	return owner != "" && subtle.ConstantTimeCompare([]byte(owner), []byte(job.Owner)) == 1
}

// refusal is what the client is told of an error of WithAuthorize.
func (m *Manager) refusal(ctx context.Context, err error, job *Job, action Action) error {
	var own *Problem
	switch {
	case errors.As(err, &own) && own != nil:
		p := *own
		if p.Status < http.StatusBadRequest {
			p.Status = http.StatusForbidden
		}
		return &p
	case errors.Is(err, store.ErrNotFound):
		return store.ErrNotFound
	default:
		m.log.InfoContext(ctx, "ginasync: not allowed", "job", job.ID, "action", string(action), "error", err)
		return errForbidden
	}
}
