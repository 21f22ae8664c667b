package ginasync

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzRange compares what a Range header means here with what it means to net/http.
func FuzzRange(f *testing.F) {
	for _, header := range []string{
		"bytes=0-4", "bytes=5-", "bytes=-3", "bytes=-0", "bytes=9-", "bytes=10-", "bytes=0-0,5-6", "bytes=3-2", "bytes= 1-2 ,",
		"bytes=,", "bytes", "bytes=--", "bytes=+1-2", "items=0-4", "Bytes=0-1", "bytes=0-99999999999999999999", "bytes=99999999999999999999-",
	} {
		f.Add(header)
	}
	const content = "0123456789"
	f.Fuzz(func(t *testing.T, header string) {
		asked, ok := parseRange([]string{header})
		if !ok {
			return // as if it was not there
		}
		first, end, ok := asked.within(int64(len(content)))
		unit, set, _ := strings.Cut(header, "=")
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set("Range", strings.ToLower(unit)+"="+set) // net/http does not know that its case means nothing
		w := httptest.NewRecorder()
		http.ServeContent(w, r, "x.txt", time.Time{}, bytes.NewReader([]byte(content)))
		if strings.Trim(set, "0123456789-, \t") == "" && len(set) > 19 && w.Code == http.StatusRequestedRangeNotSatisfiable {
			return // nor that a number may be longer than its own
		}
		if asked.suffix && asked.last == 0 {
			require.False(t, ok) // RFC 9110 §14.1.3; net/http sends a part of no bytes
			return
		}
		if !ok {
			require.Equal(t, http.StatusRequestedRangeNotSatisfiable, w.Code)
			return
		}
		require.Equal(t, http.StatusPartialContent, w.Code)
		require.Equal(t, w.Header().Get("Content-Range"), contentRange(first, end, len(content)))
		require.Equal(t, w.Body.String(), content[first:end])
	})
}
