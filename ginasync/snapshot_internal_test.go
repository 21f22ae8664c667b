package ginasync

import (
	"bufio"
	"io"
	"maps"
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

// ginContext is the context of a request that a server has read.
func ginContext(t *testing.T, raw string) *gin.Context {
	t.Helper()
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	require.NoError(t, err)
	r.RemoteAddr = "192.0.2.1:4711"
	c.Request = r
	return c
}

func TestASnapshotIsAnHTTPMessage(t *testing.T) {
	c := ginContext(t, rawRequest("POST /u/1?q=%20", "hello",
		"X-B: 2", "Cookie: a=1", "X-A: 1", "Cookie: b=2", "Authorization: Bearer x", "X-B: 1"))
	c.Params = gin.Params{{Key: "id", Value: "1"}}
	taken, err := capture(c, 5, []capturedKey{{name: "user", value: []byte(`{"n":1}`)}}, nil)
	require.NoError(t, err)

	require.Equal(t, strings.Join([]string{
		"POST /u/1?q=%20 HTTP/1.1", "Host: api.example", "Authorization: Bearer x", "Cookie: a=1", "Cookie: b=2",
		"X-A: 1", "X-B: 2", "X-B: 1", "Content-Length: 5", "", "hello",
	}, "\r\n"), string(taken.request))
	require.Equal(t, "hello", string(taken.body))
	require.Same(t, &taken.request[len(taken.request)-5], &taken.body[0], "the body is a part of the request")
	require.Equal(t, "client_ip=192.0.2.1&remote_addr=192.0.2.1:4711&p.id=1&k.user=%7B%22n%22:1%7D", string(taken.envelope))
}

func TestFieldsOfOneConnectionAreNotStored(t *testing.T) {
	c := ginContext(t, rawRequest("POST /", "",
		"Connection: keep-alive, X-Hop", "Keep-Alive: 5", "Proxy-Connection: x", "TE: trailers", "X-Hop: 1",
		"Upgrade: h2c", "Expect: 100-continue", "Trailer: X-T", "Transfer-Encoding: chunked", "X-Kept: 1")+"0\r\n\r\n")
	taken, err := capture(c, 0, nil, nil)
	require.NoError(t, err)
	require.Equal(t, "POST / HTTP/1.1\r\nHost: api.example\r\nX-Hop: 1\r\nX-Kept: 1\r\nContent-Length: 0\r\n\r\n", string(taken.request))
}

func TestAClientCannotRemoveWhatAMiddlewareSet(t *testing.T) {
	route := handle(func(c *gin.Context) { c.String(http.StatusOK, c.GetHeader("X-User")) })
	route.before = []gin.HandlerFunc{func(c *gin.Context) { c.Request.Header.Set("X-User", "ada") }}
	got := route.same(t, rawRequest("POST /", "", "Connection: keep-alive, X-User"))
	require.Equal(t, "ada", got.body)
}

func TestHeadersOfAMiddlewareCannotBreakTheMessage(t *testing.T) {
	c := ginContext(t, rawRequest("POST /", ""))
	c.Request.Host = "a\r\nX-Evil: 1"
	c.Request.Header = http.Header{
		"X-A": {"1\r\nX-Evil: 1", "2\x00\x7f\t"}, "Bad Name": {"1"}, "": {"1"}, "Bad:": {"1"}, "Ünicode": {"1"},
		"Host": {"evil"}, "Content-Length": {"77"}, "x-low": {"1"},
	}
	taken, err := capture(c, 0, nil, nil)
	require.NoError(t, err)
	s, err := decodeSnapshot(taken.request, taken.envelope)
	require.NoError(t, err)
	require.Equal(t, http.Header{
		"X-A": {"1  X-Evil: 1", "2"}, "X-Low": {"1"}, "Content-Length": {"0"},
	}, s.request.Header)
	require.Equal(t, "a  X-Evil: 1", s.request.Host)
}

func TestARequestThatWantsAnotherProtocolIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		raw     string
		refused bool
	}{
		"a websocket":                      {rawRequest("GET /", "", "Connection: keep-alive, Upgrade", "Upgrade: websocket"), true},
		"h2c and a websocket":              {rawRequest("GET /", "", "Connection: upgrade", "Upgrade: h2c, websocket"), true},
		"a tunnel":                         {rawRequest("CONNECT example.com:443", ""), true},
		"h2c":                              {rawRequest("GET /", "", "Connection: Upgrade", "Upgrade: h2c"), false},
		"an Upgrade header without effect": {rawRequest("GET /", "", "Upgrade: websocket"), false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := capture(ginContext(t, test.raw), 0, nil, nil)
			if test.refused {
				require.ErrorIs(t, err, errUpgrade)
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestAMethodThatIsNoTokenIsRefused(t *testing.T) {
	c := ginContext(t, rawRequest("GET /", ""))
	c.Request.Method = "GET /\r\nX-Evil: 1"
	_, err := capture(c, 0, nil, nil)
	require.ErrorIs(t, err, errBadMethod)
}

func TestARequestWithoutTargetLineGetsOne(t *testing.T) {
	c := ginContext(t, rawRequest("GET /", ""))
	c.Request = httptest.NewRequest(http.MethodGet, "/x?y=1", nil)
	c.Request.RequestURI = ""
	taken, err := capture(c, 0, nil, nil)
	require.NoError(t, err)
	s, err := decodeSnapshot(taken.request, taken.envelope)
	require.NoError(t, err)
	require.Equal(t, "/x?y=1", s.request.RequestURI)
}

func TestATargetThatNoRequestLineCanHoldIsReplayed(t *testing.T) {
	for name, test := range map[string]struct {
		uri string
		url url.URL
	}{
		"a space in the query":             {"/x?q=a b", url.URL{Path: "/x", RawQuery: "q=a b"}},
		"a space in the path":              {"/x y", url.URL{Path: "/x y", RawPath: "/x y"}},
		"a line end in the query":          {"/x?q=\r\nX-Evil: 1", url.URL{Path: "/x", RawQuery: "q=\r\nX-Evil: 1"}},
		"a control character in the query": {"/x?q=\x7f", url.URL{Path: "/x", RawQuery: "q=\x7f"}},
		"no slash in front":                {"x", url.URL{Opaque: "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := ginContext(t, rawRequest("GET /", ""))
			c.Request.RequestURI, c.Request.URL = test.uri, &test.url
			taken, err := capture(c, 0, nil, nil)
			require.NoError(t, err)
			s, err := decodeSnapshot(taken.request, taken.envelope)
			require.NoError(t, err)
			require.Equal(t, test.uri, s.request.RequestURI)
			test.url.Opaque = "" // the envelope has no place for it
			require.Equal(t, &test.url, s.request.URL)
			require.Empty(t, s.request.Header, "no part of the target became a header")
		})
	}
}

func TestARawSpaceInAnHTTP2QueryIsReplayed(t *testing.T) {
	replay := newReplayEngine(gin.New())
	replay.add(http.MethodGet, "/x", echo)
	engine := gin.New()
	engine.GET("/x", func(c *gin.Context) {
		taken, err := capture(c, 0, nil, nil)
		assert.NoError(t, err)
		s, err := decodeSnapshot(taken.request, taken.envelope)
		if assert.NoError(t, err) {
			sendResult(t, c, encodeResponse(replay.run(c, http.MethodGet, "/x", s, 1<<10, nil), nil).Data)
		}
	})
	server := httptest.NewUnstartedServer(engine)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/x", nil)
	require.NoError(t, err)
	request.URL.RawQuery = "q=a b"
	response, err := server.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, "HTTP/2.0", response.Proto)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), `GET "/x?q=a b" HTTP/2.0`)
	require.Contains(t, string(body), `"/x" "" "q=a b"`)
}

// endToEnd is h without the fields that are not stored, and without
// Content-Length, which is.
func endToEnd(h http.Header) http.Header {
	kept := h.Clone()
	maps.DeleteFunc(kept, func(name string, _ []string) bool {
		return isHopByHop(name) || slices.Contains([]string{"Expect", "Host", "Content-Length"}, name)
	})
	return kept
}
