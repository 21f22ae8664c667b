package contestant

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommandsAreWrittenAsRedisReadsThem(t *testing.T) {
	var c commands
	c.add("SET", "key", "two\r\nlines")
	c.add("PING")
	require.Equal(t, "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$10\r\ntwo\r\nlines\r\n*1\r\n$4\r\nPING\r\n", string(c.text))
	require.Equal(t, 2, c.n)
}

func TestSkipReplies(t *testing.T) {
	for name, replies := range map[string]string{
		"a status":               "+OK\r\n",
		"a number":               ":12\r\n",
		"a text with line ends":  "$4\r\n\r\n\r\n\r\n",
		"no text":                "$-1\r\n",
		"a list":                 "*2\r\n$1\r\na\r\n:1\r\n",
		"a list in a list":       "*2\r\n*1\r\n:1\r\n$-1\r\n",
		"an empty list, no list": "*0\r\n",
	} {
		t.Run("takes one reply and no more: "+name, func(t *testing.T) {
			r := bufio.NewReader(strings.NewReader(replies + "+next\r\n"))
			require.NoError(t, skipReplies(r, 1))
			rest, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, "+next\r\n", string(rest))
		})
	}
	t.Run("an error is one", func(t *testing.T) {
		r := bufio.NewReader(strings.NewReader(":1\r\n-ERR no\r\n"))
		require.EqualError(t, skipReplies(r, 2), "redis: ERR no")
	})
	t.Run("a reply that is missing is one", func(t *testing.T) {
		require.ErrorIs(t, skipReplies(bufio.NewReader(strings.NewReader(":1\r\n")), 2), io.EOF)
	})
}
