package ginasync

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// twin is a route that can be served in two ways: at once, as gin does, and as a
// job: captured, stored, decoded, replayed, and its stored response sent.
type twin struct {
	method, path string                          // POST /, unless set
	settings     func(*gin.Engine)               // of the user's engine
	around       func(http.Handler) http.Handler // what stands before the engine
	before       []gin.HandlerFunc               // runs at submission
	handlers     []gin.HandlerFunc               // run at once or in the worker
}

func handle(handlers ...gin.HandlerFunc) twin { return twin{handlers: handlers} }

func (w twin) server(t *testing.T, handlers func(*gin.Engine) []gin.HandlerFunc) string {
	t.Helper()
	engine := gin.New()
	if w.settings != nil {
		w.settings(engine)
	}
	engine.Handle(w.method, w.path, slices.Concat(w.before, handlers(engine))...)
	var handler http.Handler = engine
	if w.around != nil {
		handler = w.around(engine)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // some handlers do what it warns of
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func (w twin) atOnce(t *testing.T) string {
	t.Helper()
	return w.server(t, func(*gin.Engine) []gin.HandlerFunc { return w.handlers })
}

func (w twin) asJob(t *testing.T) string {
	t.Helper()
	return w.server(t, func(engine *gin.Engine) []gin.HandlerFunc {
		replay := newReplayEngine(engine)
		replay.add(w.method, w.path, w.handlers...)
		return []gin.HandlerFunc{func(c *gin.Context) {
			taken, err := capture(c, 10<<20, nil, nil)
			if !assert.NoError(t, err) {
				return
			}
			request, envelope := slices.Clone(taken.request), slices.Clone(taken.envelope)
			clear(taken.request) // the store keeps copies
			clear(taken.envelope)
			s, err := decodeSnapshot(request, envelope)
			if !assert.NoError(t, err) {
				return
			}
			ctx := context.WithoutCancel(c.Request.Context())
			sendResult(t, c, encodeResponse(replay.run(ctx, w.method, w.path, s, 10<<20, nil), nil).Data)
		}}
	})
}

// sendResult does what the result route does.
func sendResult(t *testing.T, c *gin.Context, data []byte) {
	t.Helper()
	status, header, body, err := decodeResponse(data)
	if !assert.NoError(t, err) {
		return
	}
	c.Writer.Header()["Content-Type"] = nil
	maps.Copy(c.Writer.Header(), header)
	c.Status(status)
	c.Writer.WriteHeaderNow()
	if bodyAllowed(status) {
		_, _ = c.Writer.Write(body)
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// same sends the raw request to both servers, requires that the answers are the
// same, and returns it.
func (w twin) same(t *testing.T, raw string) answer {
	t.Helper()
	if w.method == "" {
		w.method = http.MethodPost
	}
	if w.path == "" {
		w.path = "/"
	}
	atOnce, asJob := send(t, w.atOnce(t), raw), send(t, w.asJob(t), raw)
	require.Equal(t, atOnce, asJob)
	return asJob
}

// send writes a request as it stands and reads the answer, without the headers
// that speak of the connection, the time, or caches.
func send(t *testing.T, addr, raw string) answer {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, raw)
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	for response.StatusCode < http.StatusOK {
		response, err = http.ReadResponse(reader, nil)
		require.NoError(t, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	for _, name := range []string{"Connection", "Content-Length", "Date", "Cache-Control"} {
		response.Header.Del(name)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(body)}
}

// rawRequest makes a request of a first line, header lines, and a body.
func rawRequest(target, body string, headers ...string) string {
	lines := append([]string{target + " HTTP/1.1", "Host: api.example"}, headers...)
	if body != "" {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	return strings.Join(lines, crlf) + crlf + crlf + body
}

// echo answers everything a handler can see of a request, except what no stored
// request can have.
func echo(c *gin.Context) {
	r := c.Request
	body, err := io.ReadAll(r.Body)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q %s host=%q error=%v\n", r.Method, r.RequestURI, r.Proto, r.Host, err)
	fmt.Fprintf(&b, "%q %q %q %q %v\n", r.URL.Host, r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.URL.ForceQuery)
	fmt.Fprintf(&b, "full=%q params=%q client=%q trailer=%q\n", c.FullPath(), c.Params, c.ClientIP(), r.Trailer)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if !isHopByHop(name) && name != "Content-Length" && name != "Expect" {
			fmt.Fprintf(&b, "%s: %q\n", name, r.Header[name])
		}
	}
	fmt.Fprintf(&b, "%q", body)
	c.Data(http.StatusOK, "text/plain", []byte(b.String()))
}

func TestAReplayedRequestIsTheRequestThatWasSent(t *testing.T) {
	for name, test := range map[string]struct {
		path, raw string
		settings  func(*gin.Engine)
		shows     string
	}{
		"with an escaped parameter": {
			path: "/u/:id", raw: rawRequest("POST /u/a%20b%3F%25", ""), shows: `params=[{"id" "a b?%"}]`,
		},
		"with an escaped slash when the engine uses raw paths": {
			path: "/u/:id/x", raw: rawRequest("POST /u/a%2Fb/x", ""), shows: `{"id" "a/b"}`,
			settings: func(e *gin.Engine) { e.UseRawPath = true },
		},
		"with a parameter that stays escaped": {
			path: "/u/:id", raw: rawRequest("POST /u/a%2Fb", ""), shows: `{"id" "a%2Fb"}`,
			settings: func(e *gin.Engine) { e.UseEscapedPath, e.UnescapePathValues = true, false },
		},
		"with superfluous slashes": {
			path: "/u/:id", raw: rawRequest("POST //u///7", ""), shows: `{"id" "7"}`,
			settings: func(e *gin.Engine) { e.RemoveExtraSlash = true },
		},
		"with a wildcard":                    {path: "/a/*rest", raw: rawRequest("POST /a/b/c/", ""), shows: `{"rest" "/b/c/"}`},
		"with parameters and a wildcard":     {path: "/b/:x/c/*r", raw: rawRequest("POST /b/1/c/2/3", ""), shows: `{"r" "/2/3"}`},
		"with a prefix before the parameter": {path: "/c/pre:x", raw: rawRequest("POST /c/pre9", ""), shows: `full="/c/pre:x"`},
		"with bytes that are not UTF-8":      {path: "/u/:id", raw: rawRequest("POST /u/%ff%00?q=%ff", "\xff\xfe", "X-Bin: \xff\xfe"), shows: `X-Bin: ["\xff\xfe"]`},
		"with raw bytes in the target":       {path: "/u/:id", raw: rawRequest("POST /u/\xff", ""), shows: `{"id" "\xff"}`},
		"with an escaped colon in the route": {path: `/lit/v1\:run`, raw: rawRequest("POST /lit/v1:run", ""), shows: `full="/lit/v1:run"`},
		"with a query kept to the letter":    {raw: rawRequest("POST /?a=1&a=2&;b=3&%zz", ""), shows: `"a=1&a=2&;b=3&%zz"`},
		"with an empty query":                {raw: rawRequest("POST /?", ""), shows: `"" true`},
		"with a fragment in the target":      {path: "/a/*r", raw: rawRequest("POST /a/b#c", ""), shows: `"/a/b#c"`},
		"with two slashes in front":          {path: "/*r", raw: rawRequest("POST //h/x", ""), shows: `"//h/x"`},
		"with an absolute target":            {path: "/x", raw: rawRequest("POST http://abs.example/x?y", ""), shows: `host="abs.example"`},
		"with headers twice":                 {raw: rawRequest("POST /", "", "X-A: 1", "Cookie: a=1", "x-a: 2", "Cookie: b=2"), shows: `X-A: ["1" "2"]`},
		"with credentials":                   {raw: rawRequest("POST /", "", "Authorization: Bearer x", "Proxy-Authorization: Basic y"), shows: `Authorization: ["Bearer x"]`},
		"with empty values":                  {raw: rawRequest("POST /", "", "X-Empty:"), shows: `X-Empty: [""]`},
		"with binary content":                {raw: rawRequest("POST /", "\x00\r\n\r\n\xff"), shows: `"\x00\r\n\r\n\xff"`},
		"without content":                    {raw: rawRequest("POST /", ""), shows: `error=<nil>`},
		"with an empty body of known length": {raw: rawRequest("POST /", "", "Content-Length: 0"), shows: `error=<nil>`},
		"from an HTTP/1.0 client":            {raw: "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", shows: "HTTP/1.0"},
		"that waits before it sends content": {raw: rawRequest("POST /", "hi", "Expect: 100-continue"), shows: `"hi"`},
		"with an offer of h2c":               {raw: rawRequest("POST /", "hi", "Connection: Upgrade", "Upgrade: h2c"), shows: `"hi"`},
		"in chunks with trailers": {
			raw:   rawRequest("POST /", "", "Transfer-Encoding: chunked", "Trailer: X-Sum") + "2\r\nhi\r\n0\r\nX-Sum: a&b\r\n\r\n",
			shows: `trailer=map["X-Sum":["a&b"]]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := twin{path: test.path, settings: test.settings, handlers: []gin.HandlerFunc{echo}}.same(t, test.raw)
			require.Equal(t, http.StatusOK, got.status)
			require.Contains(t, got.body, test.shows)
		})
	}
}

func TestAReplayedRequestKeepsTheURLThatAMiddlewareMade(t *testing.T) {
	rewrite := func(change func(*http.Request)) gin.HandlerFunc {
		return func(c *gin.Context) { change(c.Request) }
	}
	for name, test := range map[string]struct {
		twin
		raw, shows string
	}{
		"by taking a prefix away": {
			twin: twin{path: "/x/:id", around: func(h http.Handler) http.Handler { return http.StripPrefix("/api", h) }},
			raw:  rawRequest("POST /api/x/7%2B?q=1", ""), shows: `"/x/7+" "/x/7%2B" "q=1"`,
		},
		"by taking all of the path away": {
			twin: twin{path: "/x", before: []gin.HandlerFunc{rewrite(func(r *http.Request) { r.URL.Path = "" })}},
			raw:  rawRequest("POST /x?q=1", ""), shows: `"" "" "" "q=1"`,
		},
		"by writing a query that no client could send": {
			twin: twin{path: "/x", before: []gin.HandlerFunc{rewrite(func(r *http.Request) { r.URL.RawQuery = "a b\n" })}},
			raw:  rawRequest("POST /x", ""), shows: `"a b\n"`,
		},
		"by writing another path into an absolute target": {
			twin: twin{path: "/x", before: []gin.HandlerFunc{rewrite(func(r *http.Request) { r.URL.Path = "/y" })}},
			raw:  rawRequest("POST http://abs.example/x", ""), shows: `"abs.example" "/y"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.handlers = []gin.HandlerFunc{echo}
			require.Contains(t, test.same(t, test.raw).body, test.shows)
		})
	}
}

func TestDecodeRejectsWhatCaptureDoesNotWrite(t *testing.T) {
	for name, test := range map[string]struct{ request, envelope string }{
		"nothing":                       {},
		"no blank line":                 {request: "POST / HTTP/1.1\r\nHost: x\r\n"},
		"no request line":               {request: "\r\n\r\n"},
		"a method that is no token":     {request: "PO(ST / HTTP/1.1\r\n\r\n"},
		"another protocol":              {request: "POST / HTTP/2.0\r\n\r\n"},
		"a target that is no URL":       {request: "POST nowhere HTTP/1.1\r\n\r\n"},
		"a header line without a colon": {request: "POST / HTTP/1.1\r\nHost\r\n\r\n"},
		"a continued header line":       {request: "POST / HTTP/1.1\r\nA: b\r\n c: d\r\n\r\n"},
		"a line feed in a value":        {request: "POST / HTTP/1.1\r\nA: b\nC: d\r\n\r\n"},
		"a body of another length":      {request: "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nhi"},
		"a body without a length":       {request: "POST / HTTP/1.1\r\n\r\nhi"},
		"a length that is no number":    {request: "POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\nhi"},
		"two lengths":                   {request: "POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi"},
		"an envelope without pairs":     {request: "POST / HTTP/1.1\r\n\r\n", envelope: "client_ip"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decodeSnapshot([]byte(test.request), []byte(test.envelope))
			require.ErrorIs(t, err, errWire)
		})
	}
}

func FuzzDecodeSnapshot(f *testing.F) {
	f.Add([]byte("POST /u/1?q=2 HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\nhi"), []byte("client_ip=::1&p.id=1"))
	f.Add([]byte("GET http://abs.example/x?y HTTP/1.1\r\nHost: other\r\n\r\n"), []byte("url.path=&request_uri=/a"))
	f.Add([]byte("PURGE * HTTP/1.1\r\nRange: bytes=0-\r\nPragma: no-cache\r\n\r\n"), []byte("proto=HTTP/1.0&tls.version=772&t.X=1"))
	f.Add([]byte("GET / HTTP/1.1\r\nConnection: x-a\r\nX-A: 1\r\n\r\n"), []byte("url.path=/x&url.raw_query=a%20b&request_uri=/x%3Fa%20b"))
	f.Add([]byte("GET /x HTTP/1.1\r\n\r\n"), []byte("url.path=&request_uri=/"))
	f.Fuzz(func(t *testing.T, request, envelope []byte) {
		s, err := decodeSnapshot(request, envelope)
		if err != nil {
			requireUnreadable(t, err, request, envelope)
			return
		}
		requireAsNetHTTPReads(t, request)
		requireSurvivesCapture(t, s)
	})
}

// requireAsNetHTTPReads requires that what we accept, a server understands alike.
func requireAsNetHTTPReads(t *testing.T, request []byte) {
	t.Helper()
	ours, err := decodeSnapshot(request, nil)
	require.NoError(t, err)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(request))))
	if err != nil || len(r.TransferEncoding) > 0 || ours.request.Header["Trailer"] != nil || r.Method == "PRI" || r.Method == http.MethodConnect {
		return // not what capture stores
	}
	for _, name := range []string{"Pragma", "Cache-Control"} { // net/http makes the one of the other
		delete(r.Header, name)
		delete(ours.request.Header, name)
	}
	dropConditions(r.Header)
	require.Equal(t, r.Header, ours.request.Header)
	require.Equal(t, r.URL, ours.request.URL)
	require.Equal(t, r.Host, ours.request.Host)
	require.Equal(t, r.ContentLength, ours.request.ContentLength)
}

// requireSurvivesCapture requires that a decoded request can be captured and
// decoded again without a difference.
func requireSurvivesCapture(t *testing.T, s *stored) {
	t.Helper()
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request, c.Params = s.request.Clone(t.Context()), s.params
	first, err := capture(c, 1<<20, s.keys, nil)
	if errors.Is(err, errUpgrade) {
		return
	}
	require.NoError(t, err)
	again, err := decodeSnapshot(first.request, first.envelope)
	require.NoError(t, err)
	c.Request, c.Params = again.request.Clone(t.Context()), again.params
	second, err := capture(c, 1<<20, again.keys, nil)
	require.NoError(t, err)
	require.Equal(t, string(first.request), string(second.request))
	require.Equal(t, endToEnd(s.request.Header), endToEnd(again.request.Header))
	require.Equal(t, s.request.RequestURI, again.request.RequestURI)
	require.Equal(t, urlOf(s.request.URL), urlOf(again.request.URL))
	require.Equal(t, s.params, again.params)
	require.Equal(t, s.keys, again.keys)
	require.Equal(t, s.request.Trailer, again.request.Trailer)
}

func urlOf(u *url.URL) [4]string { return [4]string{u.Path, u.RawPath, u.RawQuery, u.Host} }
