package outbound

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is a server on loopback that counts the connections to it.
func receiver(t *testing.T, handler http.HandlerFunc) (url string, connections *atomic.Int32) {
	t.Helper()
	connections = new(atomic.Int32)
	server := httptest.NewUnstartedServer(handler)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, connections
}

func client(t *testing.T, c *Client) *Client {
	t.Helper()
	t.Cleanup(c.Close)
	return c
}

func post(t *testing.T, c *Client, url string) (Reply, error) {
	t.Helper()
	return c.Post(t.Context(), url, http.Header{"Content-Type": {"application/json"}}, []byte(`{"a":1}`))
}

func TestPost(t *testing.T) {
	t.Run("sends the body and the headers, and keeps status and Retry-After of the reply", func(t *testing.T) {
		url, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			assert.Equal(t, `{"a":1}`, string(body))
			assert.Equal(t, "POST /hook?x=y", r.Method+" "+r.RequestURI)
			assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
			assert.True(t, strings.HasPrefix(r.UserAgent(), "gin-async "))
			assert.Empty(t, r.Header["Accept-Encoding"])
			assert.Empty(t, r.Header["Cookie"])
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		c := client(t, NewClient(nil, nil))
		for range 2 { // the second time there could be a cookie
			got, err := post(t, c, url+"/hook?x=y")
			require.NoError(t, err)
			assert.Equal(t, Reply{Status: 503, RetryAfter: "7"}, got)
		}
	})

	t.Run("follows no redirect", func(t *testing.T) {
		private, contacts := receiver(t, func(http.ResponseWriter, *http.Request) {})
		for _, code := range []int{301, 302, 303, 307, 308} {
			url, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, private, code) })
			got, err := post(t, client(t, NewClient(nil, nil)), url)
			require.NoError(t, err)
			assert.Equal(t, code, got.Status)
		}
		assert.Zero(t, contacts.Load())
	})

	t.Run("reads no more than 64 kB of a reply that has no end", func(t *testing.T) {
		start := time.Now()
		url, _ := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
			chunk := make([]byte, 32<<10)
			for {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		})
		got, err := post(t, client(t, NewClient(nil, nil)), url)
		require.NoError(t, err)
		assert.Equal(t, 200, got.Status)
		assert.Less(t, time.Since(start), timeout)
	})

	t.Run("takes no longer than 20 s", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }() // hears, and never answers
			c := NewClient(nil, func(tr *http.Transport) {
				tr.DialContext = func(context.Context, string, string) (net.Conn, error) { return ours, nil }
			})
			start := time.Now()
			_, err := post(t, c, "http://hooks.example.com/")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, timeout, time.Since(start))
			require.NoError(t, theirs.Close())
		})
	})

	t.Run("names no URL in its errors", func(t *testing.T) {
		c := client(t, NewClient(&Guard{}, nil))
		for _, url := range []string{"http://127.0.0.1:1/secret", "http://%/secret", "secret://x"} {
			_, err := post(t, c, url)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "secret/")
			assert.NotContains(t, err.Error(), "/secret")
		}
	})
}

// TestCallbacksStayOutside is the second line behind the list of hosts: it holds for a
// host whatever its name says, for what counts is the address it has.
func TestCallbacksStayOutside(t *testing.T) {
	refused := func(t *testing.T, c *Client, url string) {
		t.Helper()
		_, err := post(t, c, url)
		var address *AddressError
		require.ErrorAs(t, err, &address, url)
	}

	t.Run("an address is refused in every way to write it", func(t *testing.T) {
		url, contacts := receiver(t, func(http.ResponseWriter, *http.Request) {})
		port := url[strings.LastIndex(url, ":"):]
		c := client(t, NewClient(&Guard{}, nil))
		for _, host := range []string{"127.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]", "169.254.169.254", "0.0.0.0", "[::]"} {
			refused(t, c, "http://"+host+port)
		}
		assert.Zero(t, contacts.Load())
	})

	t.Run("a name that has a private address is refused, however it is written", func(t *testing.T) {
		url, contacts := receiver(t, func(http.ResponseWriter, *http.Request) {})
		port := url[strings.LastIndex(url, ":"):]
		names := &zone{answers: []string{"127.0.0.1"}}
		c := client(t, newClient(&net.Dialer{Resolver: names.resolver()}, &Guard{}))
		refused(t, c, "http://hooks.example.com"+port)
		for _, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1"} {
			_, err := post(t, c, "http://"+host+port)
			assert.Error(t, err, host) // some resolvers take it for 127.0.0.1, others for nothing
		}
		assert.Zero(t, contacts.Load())
		assert.Positive(t, names.asked())
	})

	t.Run("a name that had a public address a moment ago is refused now", func(t *testing.T) {
		url, contacts := receiver(t, func(http.ResponseWriter, *http.Request) {})
		port := url[strings.LastIndex(url, ":"):]
		names := &zone{answers: []string{"127.0.0.1", "169.254.169.254"}}
		// 127.0.0.1 stands for the public address: it is let pass, 169.254.169.254 is not.
		c := client(t, newClient(&net.Dialer{Resolver: names.resolver()}, &Guard{Except: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}))
		_, err := post(t, c, "http://hooks.example.com"+port)
		require.NoError(t, err)
		c.Close() // a new message makes a new connection
		refused(t, c, "http://hooks.example.com"+port)
		assert.EqualValues(t, 1, contacts.Load())
	})

	t.Run("a proxy of the environment is not used, it would connect in our place", func(t *testing.T) {
		proxy, contacts := receiver(t, func(http.ResponseWriter, *http.Request) {})
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
			t.Setenv(name, proxy)
		}
		names := &zone{answers: []string{"127.0.0.1"}}
		c := client(t, newClient(&net.Dialer{Resolver: names.resolver()}, &Guard{}))
		refused(t, c, "http://hooks.example.com/")
		refused(t, c, "https://hooks.example.com/")
		assert.Zero(t, contacts.Load())
		assert.Nil(t, c.transport.Proxy)
	})
}

// zone is a name server that knows every name, and gives its answers in turn, the last
// one again and again.
type zone struct {
	mu      sync.Mutex
	answers []string
	queries int
}

func (z *zone) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go z.serve(server)
		return client, nil
	}}
}

func (z *zone) asked() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.queries
}

// serve answers queries that come as over TCP, each after its length (RFC 1035 §4.2.2).
func (z *zone) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		reply := z.reply(query)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

// reply repeats the question and answers it, if it is one for an A record.
func (z *zone) reply(query []byte) []byte {
	end := 12
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	question := query[12 : end+5]
	isA := binary.BigEndian.Uint16(query[end+1:]) == 1
	reply := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
	if isA {
		reply[7] = 1
		address := netip.MustParseAddr(z.next()).As4()
		reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		reply = append(reply, address[:]...)
	}
	return reply
}

func (z *zone) next() string {
	z.mu.Lock()
	defer z.mu.Unlock()
	answer := z.answers[min(z.queries, len(z.answers)-1)]
	z.queries++
	return answer
}
