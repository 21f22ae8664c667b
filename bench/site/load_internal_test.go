package site

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadAnswer(t *testing.T) {
	const answer = "HTTP/1.1 202 Accepted\r\ncontent-length: 5\r\nX: y\r\n\r\nhello"
	t.Run("takes one answer and no more", func(t *testing.T) {
		r := bufio.NewReader(strings.NewReader(answer + "HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n"))
		status, err := readAnswer(r)
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, status)
		status, err = readAnswer(r)
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, status)
	})
	for name, text := range map[string]string{
		"an end too early":      answer[:len(answer)-1],
		"no length":             "HTTP/1.1 200 OK\r\n\r\n",
		"a length of no digits": "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"no status":             "HTTP/1.1\r\n\r\n",
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			_, err := readAnswer(bufio.NewReader(strings.NewReader(text)))
			require.Error(t, err)
		})
	}
}

func TestRequestText(t *testing.T) {
	read, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(requestText(
		Load{Addr: "127.0.0.1:1", Method: http.MethodPost, Body: []byte("hello")}, "/reports/2026")))))
	require.NoError(t, err)
	require.Equal(t, "/reports/2026", read.URL.Path)
	body, err := io.ReadAll(read.Body)
	require.NoError(t, err)
	require.Equal(t, "hello", string(body))
}
