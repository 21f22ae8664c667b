package ginasync

import (
	"bytes"
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
)

// replayEngine is the private gin engine that holds exactly the async routes.
//
// It is driven with the route's pattern as the path, and every pattern is
// registered as literal text. So it always finds the route it is asked for:
// nothing depends on rewritten URLs, escaping, trailing slashes or priorities,
// and c.FullPath says what it says live. The first handler of each route then puts
// the stored request and its parameters in place.
type replayEngine struct {
	engine *gin.Engine
	// patterns has one request per route that leads to it. They are shared by all
	// runs and never changed.
	patterns map[routeKey]*http.Request
	ready    sync.Once
}

type routeKey struct{ method, path string }

var (
	errNoRoute        = errors.New("ginasync: the replay engine does not have the route")
	errResultTooLarge = errors.New("ginasync: the response is larger than the limit for results")
)

// newReplayEngine makes an engine with the settings of user's that handlers can
// see. It trusts no proxy: the client's address is part of the stored request.
func newReplayEngine(user *gin.Engine) *replayEngine {
	e := gin.New()
	e.HTMLRender = user.HTMLRender
	e.FuncMap = user.FuncMap
	e.MaxMultipartMemory = user.MaxMultipartMemory
	e.RemoteIPHeaders = user.RemoteIPHeaders
	e.ForwardedByClientIP = user.ForwardedByClientIP
	e.ContextWithFallback = true
	e.SecureJsonPrefix(secureJSONPrefix(user))
	_ = e.SetTrustedProxies(nil) // only an entry that is no address is an error
	return &replayEngine{engine: e, patterns: make(map[routeKey]*http.Request)}
}

// secureJSONPrefix finds out what c.SecureJSON writes before an array: gin keeps
// the setting to itself.
func secureJSONPrefix(user *gin.Engine) string {
	w := newRecorder(new(http.Request), math.MaxInt64)
	gin.CreateTestContextOnly(w, user).SecureJSON(http.StatusOK, []int{})
	return string(bytes.TrimSuffix(w.body, []byte("[]")))
}

// add registers a route. It must not be called once the engine runs.
func (e *replayEngine) add(method, fullPath string, handlers ...gin.HandlerFunc) {
	pattern := unescapeColons(fullPath)
	chain := append(gin.HandlersChain{prologue}, handlers...)
	e.engine.Handle(method, strings.ReplaceAll(pattern, ":", `\:`), chain...)
	e.patterns[routeKey{method, pattern}] = &http.Request{Method: method, URL: &url.URL{Path: pattern}}
}

// unescapeColons gives a pattern the form it has once an engine serves: before,
// gin shows the colons that are no parameters with a backslash.
func unescapeColons(pattern string) string {
	return strings.ReplaceAll(pattern, `\:`, ":")
}

// run runs the route's handlers on the stored request with ctx as the request's
// context and records the response. set, if not nil, prepares the gin context
// before the first handler. Writing more than maxResult bytes of body, or more than
// maxHeader of headers, ends the context and the recording. A panic of a handler goes on to the caller.
//
// It returns when the handlers do, and not before.
func (e *replayEngine) run(ctx context.Context, method, fullPath string, s *stored, maxResult int64, set func(*gin.Context)) recorded {
	pattern, ok := e.patterns[routeKey{method, unescapeColons(fullPath)}]
	if !ok {
		return recorded{status: http.StatusNotFound, header: http.Header{}, err: errNoRoute}
	}
	// A handler may leave a goroutine behind that still holds the recorder, so it
	// is never used again.
	w := newRecorder(s.request, maxResult)
	w.begin(ctx)
	defer w.close()
	w.params, w.set = s.params, set
	e.ready.Do(e.prepare)
	// Contexts that a handler derives from gin's may still ask it, from goroutines of
	// their own, when the handler has returned. So it is not taken from gin's pool,
	// where another run would get it.
	c := gin.CreateTestContextOnly(w, e.engine)
	c.Request = pattern
	e.engine.HandleContext(c)
	return w.finish()
}

// prepare has gin do what it puts off until its first request.
func (e *replayEngine) prepare() {
	nowhere := &http.Request{URL: new(url.URL)}
	e.engine.ServeHTTP(newRecorder(nowhere, math.MaxInt64), nowhere)
}

// prologue is the first handler of every route. It finds the state of the run
// behind gin's writer; there a context value, which would cost a copy of the
// request, is not needed.
func prologue(c *gin.Context) {
	w, ok := serverWriter(c.Writer).(*recorder)
	if !ok {
		return
	}
	c.Request, c.Params = w.request, w.params
	w.writer.ResponseWriter = c.Writer
	c.Writer = &w.writer
	// net/http removes uploaded files for its own request only.
	defer func() { removeUploads(w.request, c.Request) }()
	if w.set != nil {
		w.set(c)
	}
	c.Next()
	if last := c.Errors.Last(); last != nil {
		w.err = last
	}
}

// removeUploads removes the temporary files of multipart forms. A middleware may
// have put another request in place, and the form is parsed in the one or in the
// other.
func removeUploads(requests ...*http.Request) {
	for _, r := range requests {
		if r != nil && r.MultipartForm != nil {
			_ = r.MultipartForm.RemoveAll() // nobody could do more about it
		}
	}
}
