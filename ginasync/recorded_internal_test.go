package ginasync

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/stretchr/testify/require"
)

func TestAResponseIsStoredAsAnHTTPMessage(t *testing.T) {
	result := encodeResponse(recorded{
		status: 201, body: []byte("hello"),
		header: http.Header{
			"Content-Type": {"text/plain"}, "Vary": {"B", "A"}, "X-A": {"1"},
			"Connection": {"close, x-hop"}, "X-Hop": {"1"}, "Keep-Alive": {"5"}, "Transfer-Encoding": {"chunked"}, "Trailer": {"X"},
			"Trailer:X": {"1"}, "Date": {"now"}, "Content-Length": {"99"}, "Set-Cookie": {"session=secret"},
			"Etag": {`"1"`}, "Last-Modified": {"then"}, "Retry-After": {"7"}, "Www-Authenticate": {"Basic"},
			"Cache-Control": {"public"}, "Cdn-Cache-Control": {"max-age=60"}, "Surrogate-Control": {"max-age=60"},
			"Expires": {"never"}, "Pragma": {"x"}, "Age": {"1"}, "X-Accel-Expires": {"60"}, "Te": {"gzip"}, "Upgrade": {"h3"},
			"Access-Control-Allow-Origin": {"*"}, "Access-Control-Expose-Headers": {"X"}, "Set-Cookie2": {"a=b"},
			"Proxy-Authenticate": {"Basic"}, "Proxy-Connection": {"close"}, "Proxy-Status": {"x"},
		},
	}, nil)
	require.Equal(t, store.Response{Status: 201, ContentType: "text/plain", Bytes: 5}, result.Response)
	require.Equal(t, "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nEtag: \"1\"\r\nLast-Modified: then\r\n"+
		"Retry-After: 7\r\nVary: B\r\nVary: A\r\nWww-Authenticate: Basic\r\nX-A: 1\r\n"+
		"Content-Length: 5\r\n\r\nhello", string(result.Data))

	status, header, body, err := decodeResponse(result.Data)
	require.NoError(t, err)
	require.Equal(t, 201, status)
	require.Equal(t, http.Header{
		"Content-Type": {"text/plain"}, "Etag": {`"1"`}, "Last-Modified": {"then"}, "Retry-After": {"7"},
		"Vary": {"B", "A"}, "Www-Authenticate": {"Basic"}, "X-A": {"1"},
	}, header)
	require.Equal(t, "hello", string(body))
	require.Same(t, &result.Data[len(result.Data)-5], &body[0], "the body is not copied")
}

func TestAResponseWithoutContentHasNoLength(t *testing.T) {
	for _, status := range []int{204, 304} {
		result := encodeResponse(recorded{status: status}, nil)
		require.NotContains(t, string(result.Data), "Content-Length")
		got, _, body, err := decodeResponse(result.Data)
		require.NoError(t, err)
		require.Equal(t, status, got)
		require.Empty(t, body)
	}
}

func TestAMalformedResponseIsAnError(t *testing.T) {
	for _, data := range []string{
		"", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\n", "\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 1000 OK\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nx\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nbody", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n12",
	} {
		_, _, _, err := decodeResponse([]byte(data))
		require.ErrorIs(t, err, errWire, "%q", data)
	}
}

func FuzzDecodeResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nA: 1\r\nA: 2\r\nContent-Length: 2\r\n\r\nhi"))
	f.Add([]byte("HTTP/1.1 304 Not Modified\r\nEtag: \"1\"\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 999\r\nConnection: a\r\na: b\r\nSet-Cookie: x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		status, header, body, err := decodeResponse(data)
		if err != nil {
			requireUnreadable(t, err, data)
			return
		}
		written := encodeResponse(recorded{status: status, header: header, body: body}, nil).Data
		if len(body) > 0 && !bodyAllowed(status) {
			return // no handler can have answered that
		}
		again, kept, same, err := decodeResponse(written)
		require.NoError(t, err)
		require.Equal(t, status, again)
		require.Equal(t, string(body), string(same))
		for name, values := range kept {
			require.Equal(t, header[name], values)
		}
		rewritten := encodeResponse(recorded{status: again, header: kept, body: same}, nil).Data
		require.Equal(t, string(written), string(rewritten))
		requireAsNetHTTPReadsResponse(t, written, status, body)
	})
}

// requireAsNetHTTPReadsResponse requires that a client understands what we write.
func requireAsNetHTTPReadsResponse(t *testing.T, data []byte, status int, body []byte) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, status, response.StatusCode)
	if !bodyAllowed(status) {
		return
	}
	read, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, string(body), string(read))
}
