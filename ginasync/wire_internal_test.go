package ginasync

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATokenIsWhatNetHTTPTakesForAMethod(t *testing.T) {
	for c := range 256 {
		for _, s := range []string{string([]byte{byte(c)}), "A" + string([]byte{byte(c)})} {
			_, err := http.NewRequestWithContext(t.Context(), s, "/", nil)
			require.Equal(t, err == nil, isToken(s), "%q", s)
		}
	}
	require.False(t, isToken(""))
}

func TestFieldsAreWrittenInOrderOfTheirNames(t *testing.T) {
	h := http.Header{"B": {"2", "1"}, "a": {"3"}, "C": nil, "Connection": {"x-hop , y"}, "X-Hop": {"1"}, "Omit": {"1"}}
	written := appendHeader(nil, h, func(name string) bool { return name == "Omit" })
	require.Equal(t, "B: 2\r\nB: 1\r\nX-Hop: 1\r\nA: 3\r\n", string(written))
	require.GreaterOrEqual(t, headerSize(h), len(written))

	back, err := parseFields(string(written))
	require.NoError(t, err)
	require.Equal(t, http.Header{"B": {"2", "1"}, "X-Hop": {"1"}, "A": {"3"}}, back)
}

func TestValuesOfOneNameDoNotOverwriteOthers(t *testing.T) {
	h, err := parseFields("A: 1\r\nB: 2\r\nA: 3\r\n")
	require.NoError(t, err)
	h.Add("A", "4")
	require.Equal(t, http.Header{"A": {"1", "3", "4"}, "B": {"2"}}, h)
}

func TestAMessageIsCutAtItsFirstBlankLine(t *testing.T) {
	first, fields, body, err := cutMessage([]byte("one\r\ntwo\r\nthree\r\n\r\nfour\r\n\r\n"))
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two\r\nthree\r\n", "four\r\n\r\n"}, []string{first, fields, string(body)})

	first, fields, body, err = cutMessage([]byte("one\r\n\r\n"))
	require.NoError(t, err)
	require.Equal(t, []string{"one", "", ""}, []string{first, fields, string(body)})
}
