package ginasync

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnEnvelopeComesBackAsItWas(t *testing.T) {
	for name, e := range map[string]envelope{
		"empty": {},
		"full": {
			clientIP: "2001:db8::1", remoteAddr: "[::1]:80", proto: "HTTP/2.0", requestURI: "/a?b=c&d",
			url:     &url.URL{Path: "x y", RawPath: "x%20y", RawQuery: "q=1&q=2"},
			tls:     &tls.ConnectionState{Version: tls.VersionTLS13, ServerName: "x", NegotiatedProtocol: "h2", HandshakeComplete: true},
			params:  gin.Params{{Key: "b", Value: "2"}, {Key: "a", Value: "1"}, {Key: "b", Value: "3"}},
			trailer: http.Header{"X-B": {"2", "1"}, "X-A": {""}},
			keys:    []capturedKey{{name: "user", value: []byte(`{"id":7}`)}, {name: "a&b=c", value: []byte{}}},
		},
		"with bytes of every kind": {
			params: gin.Params{{Key: "é&=%", Value: allBytes()}},
			keys:   []capturedKey{{name: allBytes(), value: []byte(allBytes())}},
		},
		"with an empty URL": {url: &url.URL{}},
	} {
		t.Run(name, func(t *testing.T) {
			back, err := decodeEnvelope(e.encode())
			require.NoError(t, err)
			require.Equal(t, e, back)
		})
	}
}

func allBytes() string {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return string(all)
}

func TestAnEnvelopeReadsAsAForm(t *testing.T) {
	e := envelope{clientIP: "::1", params: gin.Params{{Key: "id", Value: allBytes()}}, keys: []capturedKey{{name: "n", value: []byte("a+b c")}}}
	form, err := url.ParseQuery(string(e.encode()))
	require.NoError(t, err)
	require.Equal(t, url.Values{"client_ip": {"::1"}, "remote_addr": {""}, "p.id": {allBytes()}, "k.n": {"a+b c"}}, form)
}

func TestPairsOfANewerWriterArePassedOver(t *testing.T) {
	e, err := decodeEnvelope([]byte("client_ip=::1&owner=x&z.a=b"))
	require.NoError(t, err)
	require.Equal(t, envelope{clientIP: "::1"}, e)
}

func TestAMalformedEnvelopeIsAnError(t *testing.T) {
	for _, data := range []string{"&", "a", "a=1&&b=2", "%zz=1", "a=%f", "tls.version=x", "tls.version=65536"} {
		_, err := decodeEnvelope([]byte(data))
		require.ErrorIs(t, err, errWire, data)
	}
}

func TestTheAddressOfAReplayedRequest(t *testing.T) {
	for name, test := range map[string]struct{ client, remote, want string }{
		"is the client's, with the port of the connection": {"203.0.113.7", "10.0.0.1:99", "203.0.113.7:99"},
		"is an IPv6 address in brackets":                   {"2001:db8::1", "[::1]:99", "[2001:db8::1]:99"},
		"has port 0 on a unix socket":                      {"203.0.113.7", "@", "203.0.113.7:0"},
		"is the connection's when the client is not known": {"", "@", "@"},
	} {
		t.Run(name, func(t *testing.T) {
			e := envelope{clientIP: test.client, remoteAddr: test.remote}
			require.Equal(t, test.want, e.address())
		})
	}
}

func TestARequestOverTLSAndHTTP2IsKnownAsSuch(t *testing.T) {
	engine := gin.New()
	replay := newReplayEngine(engine)
	replay.add(http.MethodPost, "/", func(c *gin.Context) {
		r := c.Request
		assert.Equal(t, "HTTP/2.0", r.Proto)
		assert.Equal(t, 2, r.ProtoMajor)
		if assert.NotNil(t, r.TLS) {
			assert.Equal(t, uint16(tls.VersionTLS13), r.TLS.Version)
			assert.Equal(t, "example.com", r.TLS.ServerName)
			assert.Equal(t, "h2", r.TLS.NegotiatedProtocol)
		}
		c.Status(http.StatusNoContent)
	})
	engine.POST("/", func(c *gin.Context) {
		taken, err := capture(c, 100, nil, nil)
		assert.NoError(t, err)
		s, err := decodeSnapshot(taken.request, taken.envelope)
		assert.NoError(t, err)
		c.Status(replay.run(c, http.MethodPost, "/", s, 100, nil).status)
	})
	server := httptest.NewUnstartedServer(engine)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	response, err := server.Client().Post("https://example.com/", "text/plain", nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusNoContent, response.StatusCode)
}

func FuzzEnvelope(f *testing.F) {
	f.Add([]byte("client_ip=::1&remote_addr=x&p.id=1&k.user=%7B%7D"))
	f.Add([]byte("url.path=%2F&tls.version=772&t.X-A=1&t.X-A=2&proto=HTTP/2.0&request_uri=+"))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeEnvelope(data)
		if err != nil {
			require.ErrorIs(t, err, errWire)
			return
		}
		written := e.encode()
		back, err := decodeEnvelope(written)
		require.NoError(t, err)
		if e.proto == protoDefault {
			e.proto = "" // need not be written
		}
		require.Equal(t, e, back)
		require.Equal(t, string(written), string(back.encode()))
	})
}

func TestEscaping(t *testing.T) {
	t.Run("leaves letters, digits and -._~:/ as they are, and no other byte", func(t *testing.T) {
		for c := range 256 {
			raw := string([]byte{byte(c)})
			escaped := string(appendEscaped(nil, raw))
			back, err := url.QueryUnescape(escaped)
			require.NoError(t, err)
			require.Equal(t, raw, back)
			letter := raw >= "a" && raw <= "z" || raw >= "A" && raw <= "Z"
			plain := letter || raw >= "0" && raw <= "9" || strings.IndexByte("-._~:/", byte(c)) >= 0
			require.Equal(t, plain, escaped == raw, "%q became %q", raw, escaped)
		}
	})
}
