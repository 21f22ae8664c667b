package ginasync

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"

	"github.com/gin-gonic/gin"
)

// AsyncFunc is the typed form of [Async]: fn gets the request as a Req and its Resp
// is written as JSON with status 200.
//
// Req is a struct. Its fields are bound by Gin's tags: `uri` from the path, `header`
// from the headers, `form` from the query and from a form body, `json` from a JSON
// body; a field with one of the first three tags and no `json` tag is never taken
// from JSON. A Req that is no struct, such as a slice, is the JSON body. A struct{}
// takes no body. Then the `binding` tags are checked. All this happens when the
// request is submitted: a request that does not fit is answered 400 with every wrong
// field named, another kind of body 415, and no job is stored. Tags that could never
// bind, such as those behind a pointer or on a field that is not exported, are
// returned by [Manager.Start].
//
// An error fails the attempt with status 500 and is worth a retry, unless wrapped by
// [Permanent]; its text is logged and not shown to clients. A [*Problem] as error is
// shown as it is, and its status decides about the retry as a Gin handler's would.
// A Resp that JSON cannot hold fails the job at once.
//
// ctx is done when the attempt times out, is cancelled or loses its lease; see
// [FromContext], [Progress] and [Captured] for what it carries.
func AsyncFunc[Req, Resp any](fn func(ctx context.Context, req Req) (Resp, error), opts ...RouteOption) gin.HandlerFunc {
	e := &endpoint{opts: opts}
	if fn == nil {
		e.err = errNilHandler
		return e.serve
	}
	binder, err := newBinder(reflect.TypeFor[Req]())
	if err != nil {
		e.err = err
		return e.serve
	}
	e.headers = binder.fields.tagged["header"]
	e.typed = &typedEndpoint{binder, reflect.TypeFor[Req](), reflect.TypeFor[Resp]()}
	e.check = func(r *http.Request, params gin.Params) error {
		defer removeForm(r)
		return binder.bind(r, params, new(Req))
	}
	e.handler = func(c *gin.Context) {
		var req Req
		if err := binder.bind(c.Request, c.Params, &req); err != nil {
			answerError(c, Permanent(err)) // the type has changed since the submission
			return
		}
		resp, err := fn(c.Request.Context(), req)
		if err != nil {
			answerError(c, err)
			return
		}
		answerJSON(c, resp)
	}
	return e.serve
}

// answerJSON encodes before it writes: c.JSON answers 200 first, and a value that JSON
// cannot hold would end as an empty success.
func answerJSON(c *gin.Context, resp any) {
	data, err := json.Marshal(resp)
	if err != nil {
		answerError(c, Permanent(err))
		return
	}
	c.Data(http.StatusOK, "application/json; charset=utf-8", data)
}

// answerError writes what a client may see of a typed handler's error.
func answerError(c *gin.Context, err error) {
	problem := &Problem{
		Title:  "Internal Server Error",
		Status: http.StatusInternalServerError,
		Detail: "the handler returned an error; the server log says which",
	}
	var own *Problem
	switch {
	case !errors.As(err, &own):
	case own == nil:
		err = &nilProblemError{err}
	case own.Status >= 400 && own.Status <= 599:
		problem = own
	}
	_ = c.Error(err) // returns what it was given
	writeProblem(c, *problem)
}

// nilProblemError stands for an error with a nil *Problem in it, whose text cannot be
// asked for. What wraps the nil, such as Permanent, still counts.
type nilProblemError struct{ err error }

func (*nilProblemError) Error() string   { return "the handler returned a nil *Problem as its error" }
func (e *nilProblemError) Unwrap() error { return e.err }

// removeForm removes the temporary files of a form that was parsed to check it.
func removeForm(r *http.Request) {
	if r.MultipartForm != nil {
		_ = r.MultipartForm.RemoveAll() // what is left, the system's cleaning of the directory takes
		r.MultipartForm = nil
	}
}
