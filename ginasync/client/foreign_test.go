package client_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestForeign202sAreUntouched(t *testing.T) {
	located := []string{"Content-Type", "application/json", "Location", "/jobs/j1", "Content-Location", "/jobs/j1"}
	huge := `{"id":"` + strings.Repeat("x", 1<<20) + `"}`
	for name, answer := range map[string]reply{
		"a handler's own":              says(202, document("queued", false, 1), append(located, "AsyncResult", "202")...),
		"without Location":             says(202, document("queued", false, 1), "Content-Type", "application/json"),
		"without Content-Location":     says(202, document("queued", false, 1), "Content-Type", "application/json", "Location", "/jobs/j1"),
		"with another one":             says(202, document("queued", false, 1), "Content-Type", "application/json", "Location", "/jobs/j1", "Content-Location", "/x"),
		"that is text":                 says(202, document("queued", false, 1), "Content-Type", "text/plain", "Location", "/jobs/j1", "Content-Location", "/jobs/j1"),
		"with a type that is none":     says(202, document("queued", false, 1), "Content-Type", ";", "Location", "/jobs/j1", "Content-Location", "/jobs/j1"),
		"with another document":        says(202, `{"status":"running","href":"/jobs/j1"}`, located...),
		"with other types":             says(202, `{"id":17,"state":"queued"}`, located...),
		"with no links":                says(202, `{"id":"j1","state":"queued"}`, located...),
		"with nowhere to wait":         says(202, `{"id":"j1","state":"queued","links":{"self":"/jobs/j1"}}`, located...),
		"that is no JSON":              says(202, "accepted", located...),
		"that is empty":                says(202, "", located...),
		"that is huge":                 says(202, huge, located...),
		"that is compressed otherwise": says(202, "br", append(located, "Content-Encoding", "br")...),
		"that is no gzip":              says(202, "zip", append(located, "Content-Encoding", "gzip")...),
	} {
		t.Run(name, func(t *testing.T) {
			want := read(t, answer.response())
			s := &script{replies: []reply{answer}}
			play(t, s, func(t *testing.T, resp *http.Response, err error) {
				require.NoError(t, err)
				got := read(t, resp)
				assert.Equal(t, want.body, got.body)
				assert.Equal(t, want.Header, got.Header)
				assert.Len(t, s.sent, 1)
			})
		})
	}
}

func TestA202MayBeCompressed(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := io.WriteString(w, document("queued", false, 1))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	s := &script{replies: []reply{
		says(202, zipped.String(), "Content-Type", "application/json", "Content-Encoding", "gzip", "Location", "/jobs/j1", "Content-Location", "/jobs/j1"), finished,
	}}
	play(t, s, func(t *testing.T, resp *http.Response, err error) {
		require.NoError(t, err)
		assert.Equal(t, "done", read(t, resp).body)
	})
}

func TestA202ThatEndsEarlyIsAnError(t *testing.T) {
	cut := accepted
	cut.stream = io.NopCloser(io.MultiReader(strings.NewReader(cut.body[:10]), brokenReader{}))
	s := &script{replies: []reply{cut}}
	play(t, s, func(t *testing.T, _ *http.Response, err error) {
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestOtherResponsesCostNothing(t *testing.T) {
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}
	foreign := &http.Response{StatusCode: http.StatusAccepted, Header: http.Header{}, Body: http.NoBody}
	req := request(t, http.MethodPost, "http://api.test/", "")
	for _, one := range []*http.Response{resp, foreign} {
		transport := client.New(client.WithBase(fixed{one}), client.WithCancel())
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			got, err := transport.RoundTrip(req)
			if err != nil || got != one {
				t.Error("another response")
			}
		}))
	}
}

type fixed struct{ resp *http.Response }

func (f fixed) RoundTrip(*http.Request) (*http.Response, error) { return f.resp, nil }
