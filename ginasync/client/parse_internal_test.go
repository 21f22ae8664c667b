package client

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"0": 0, "7": 7 * time.Second, "3601": time.Hour, "4294967295": time.Hour,
		"Tue, 24 Nov 2026 06:00:30 GMT": 30 * time.Second,
		"Tue, 24 Nov 2026 05:00:00 GMT": 0,
		"Fri, 24 Nov 2028 05:00:00 GMT": time.Hour,
	} {
		got, ok := retryAfter(http.Header{"Retry-After": {value}}, now)
		assert.True(t, ok, value)
		assert.Equal(t, want, got, value)
	}
	for _, value := range []string{"", "-1", "1.5", "soon", "99999999999999999999", " 7"} {
		_, ok := retryAfter(http.Header{"Retry-After": {value}}, now)
		assert.False(t, ok, value)
	}
}

func TestBackoffGrowsAndIsBounded(t *testing.T) {
	for n, longest := range map[int]time.Duration{1: 500 * time.Millisecond, 2: time.Second, 6: 16 * time.Second, 7: 16 * time.Second, 1 << 40: 16 * time.Second} {
		for range 100 {
			d := backoff(n)
			assert.LessOrEqual(t, d, longest)
			assert.GreaterOrEqual(t, d, longest*3/4)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"0", "120", "-1", "Tue, 24 Nov 2026 06:00:30 GMT", "Tuesday, 24-Nov-26 06:00:30 GMT", "1e9", ""} {
		f.Add(value, "")
		f.Add(value, "Tue, 24 Nov 2026 06:00:00 GMT")
	}
	now := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value, date string) {
		d, ok := retryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, now)
		if d < 0 || d > longestPause || !ok && d != 0 {
			t.Errorf("%q: %v %t", value, d, ok)
		}
	})
}

func FuzzStatus(f *testing.F) {
	for _, body := range []string{
		`{"id":"j1","state":"queued","done":false,"version":1,"links":{"self":"/jobs/j1","result":"/jobs/j1/result"}}`,
		`{"id":"j1","state":"failed","done":true,"progress":{"percent":42},"error":{"type":"x#y","title":"t"},"links":{"self":"//evil.test/"}}`,
		`{"id":"j1","state":"queued","links":null}`, `[]`, `null`, `{"id":1}`, "",
	} {
		f.Add([]byte(body), "application/json")
	}
	request := &url.URL{Scheme: "https", Host: "api.test", Path: "/reports/2026"}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		if text := parseProblem(contentType, body).text(); len(text) > 0 && !isJSON(contentType) {
			t.Error("a problem of another type")
		}
		status, err := parseStatus(body)
		if err != nil {
			return
		}
		if status.ID == "" || status.State == "" || status.Links.Self == "" {
			t.Error("a document without a job")
		}
		for _, link := range []string{status.Links.Self, status.Links.Result, status.Links.Cancel} {
			u, err := resolve(request, link)
			if err == nil && (u.Scheme != "https" || !strings.EqualFold(u.Hostname(), "api.test") || u.Port() != "" && u.Port() != "443" || u.User != nil) {
				t.Errorf("%q leads to %s", link, u)
			}
		}
	})
}

func TestResolveKeepsTheQuery(t *testing.T) {
	u, err := resolve(&url.URL{Scheme: "http", Host: "api.test", Path: "/a/b"}, "status?id=7#x")
	require.NoError(t, err)
	assert.Equal(t, "http://api.test/a/status?id=7", u.String())
}
