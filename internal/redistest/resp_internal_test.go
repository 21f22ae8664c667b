package redistest

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCopyReply(t *testing.T) {
	for name, reply := range map[string]string{
		"simple string":           "+OK\r\n",
		"error":                   "-ERR no\r\n",
		"integer":                 ":-1\r\n",
		"bulk string":             "$5\r\n\r\n+OK\r\n",
		"empty bulk string":       "$0\r\n\r\n",
		"null of RESP2":           "$-1\r\n",
		"null array of RESP2":     "*-1\r\n",
		"null":                    "_\r\n",
		"double":                  ",-inf\r\n",
		"boolean":                 "#t\r\n",
		"big number":              "(3492890328409238509324850943850943825024385\r\n",
		"bulk error":              "!5\r\nERR x\r\n",
		"verbatim string":         "=8\r\ntxt:Some\r\n",
		"array":                   "*2\r\n$1\r\na\r\n:1\r\n",
		"empty array":             "*0\r\n",
		"array in an array":       "*2\r\n*1\r\n*0\r\n+OK\r\n",
		"map":                     "%2\r\n+a\r\n*1\r\n:1\r\n+b\r\n%0\r\n",
		"set":                     "~2\r\n:1\r\n:2\r\n",
		"push":                    ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n",
		"attributes":              "|1\r\n+ttl\r\n:10\r\n*1\r\n|1\r\n+a\r\n+b\r\n:7\r\n",
		"line longer than buffer": "+" + strings.Repeat("x", 10_000) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := bufio.NewReaderSize(strings.NewReader(reply+"+next\r\n"), 16)
			var got bytes.Buffer
			require.NoError(t, copyReply(&got, r))
			assert.Equal(t, reply, got.String())
			rest, err := io.ReadAll(r)
			require.NoError(t, err)
			assert.Equal(t, "+next\r\n", string(rest))

			for cut := 1; cut < len(reply); cut += 1 + cut/100 {
				err := copyReply(io.Discard, bufio.NewReader(strings.NewReader(reply[:cut])))
				require.Error(t, err, "%q", reply[:cut])
			}
		})
	}
	for _, reply := range []string{"?\r\n", "\r\n", "$x\r\n", "*-2\r\n", "$536870913\r\n", "%\r\n"} {
		err := copyReply(io.Discard, bufio.NewReader(strings.NewReader(reply)))
		require.ErrorIs(t, err, errProtocol, "%q", reply)
	}
}

func TestReadCommand(t *testing.T) {
	for raw, want := range map[string][]string{
		"*1\r\n$4\r\nPING\r\n":                        {"PING"},
		"*3\r\n$3\r\nSET\r\n$2\r\n\r\n\r\n$0\r\n\r\n": {"SET", "\r\n", ""},
		"*0\r\n":           nil,
		"*-1\r\n":          nil,
		"\r\n":             {},
		"PING\r\n":         {"PING"},
		"set  key value\n": {"set", "key", "value"},
	} {
		r := bufio.NewReaderSize(strings.NewReader(raw+"next"), 16)
		got, command, err := readCommand(r)
		require.NoError(t, err, "%q", raw)
		assert.Equal(t, raw, string(got))
		assert.Equal(t, want, command, "%q", raw)
		rest, err := io.ReadAll(r)
		require.NoError(t, err)
		assert.Equal(t, "next", string(rest))
	}
	for _, raw := range []string{"*1\r\n:1\r\n", "*x\r\n", "*1\r\n$x\r\n", "*1\r\n$536870913\r\n"} {
		_, _, err := readCommand(bufio.NewReader(strings.NewReader(raw)))
		require.ErrorIs(t, err, errProtocol, "%q", raw)
	}
	_, _, err := readCommand(bufio.NewReader(strings.NewReader("")))
	require.ErrorIs(t, err, io.EOF)
	for _, raw := range []string{"*1\r\n", "*1\r\n$4\r\nPI", "*2\r\n$4\r\nPING\r\n"} {
		_, _, err := readCommand(bufio.NewReader(strings.NewReader(raw)))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%q", raw)
	}
}
