package ginasync

import (
	"net/http"
	"sync/atomic"

	"github.com/gin-gonic/gin"
)

// Async makes the route it ends asynchronous: a request is stored and answered
// 202, and handler, any Gin handler, runs later in a worker. It only declares:
// the route works once a [Manager] of its engine is started, and answers 500 with
// the missing call until then. It has to be the last handler of its route.
// Mistakes in opts are returned by [Manager.Start].
//
// HEAD and OPTIONS requests are never stored: HEAD gets 405, OPTIONS the allowed
// methods.
func Async(handler gin.HandlerFunc, opts ...RouteOption) gin.HandlerFunc {
	e := &endpoint{handler: handler, opts: opts}
	if handler == nil {
		e.err = errNilHandler
	}
	// A method value: its code pointer is the same for all endpoints, in every
	// build, which is how discovery knows our routes. A closure's is not.
	return e.serve
}

// endpoint is one call of Async or AsyncFunc. It may stand on several routes.
type endpoint struct {
	handler gin.HandlerFunc // runs in the worker
	check   requestCheck    // runs at submission; nil: nothing to check
	headers []taggedField   // what the handler takes from headers, as far as it is known
	typed   *typedEndpoint  // of AsyncFunc, for OpenAPI
	opts    []RouteOption
	err     error // a mistake in the declaration, for Start to return

	manager atomic.Pointer[Manager] // set once, by Start
}

// requestCheck says what is wrong with a request before it becomes a job.
type requestCheck func(r *http.Request, params gin.Params) error

// serve is the handler that the user's engine calls.
func (e *endpoint) serve(c *gin.Context) {
	if c.Request == nil { // never so for a request: this is discovery asking
		answerProbe(c, e)
		return
	}
	m := e.manager.Load()
	if m == nil {
		p := problemOf(errNotStarted)
		setProblemHeaders(c, p)
		writeProblem(c, p)
		return
	}
	r := m.routes.Load().serving(e, c.Request.Method, c.FullPath())
	if r == nil { // registered after Start
		m.fail(c, errNotStarted)
		return
	}
	m.serve(c, r)
}
