package client_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCredentialsStayAtTheOrigin(t *testing.T) {
	for _, self := range []string{
		"http://evil.test/jobs/j1", "https://api.test/jobs/j1", "http://api.test:8080/jobs/j1", "//evil.test/jobs/j1",
		"http://api.test@evil.test/jobs/j1", "file:///etc/passwd", "http://[::1", `/\evil.test%`, "http://api.test.evil.test/",
	} {
		for _, body := range []string{
			`{"id":"j1","state":"queued","links":{"self":%q,"result":"/r","cancel":"/c"}}`,
			`{"id":"j1","state":"queued","links":{"self":"/s","result":%q,"cancel":"/c"}}`,
			`{"id":"j1","state":"queued","links":{"self":"/s","result":"/r","cancel":%q}}`,
		} {
			s := &script{replies: []reply{accepts(fmt.Sprintf(body, self)), finished}}
			play(t, s, func(t *testing.T, _ *http.Response, err error) {
				require.ErrorIs(t, err, client.ErrOrigin, self)
				assert.Len(t, s.sent, 1, "nothing is sent there")
			})
		}
	}
	t.Run("however the origin is written", func(t *testing.T) {
		for _, self := range []string{"HTTP://API.test:80/r", "//api.test/r", "http://user:word@api.test/r#top", "/r"} {
			s := &script{replies: []reply{
				accepts(fmt.Sprintf(`{"id":"j1","state":"queued","links":{"self":"/s","result":%q}}`, self)), finished,
			}}
			play(t, s, func(t *testing.T, _ *http.Response, err error) {
				require.NoError(t, err, self)
				assert.Equal(t, "/r", s.sent[1].URL.Path)
				assert.Nil(t, s.sent[1].URL.User)
			})
		}
	})
	t.Run("with the port that https has", func(t *testing.T) {
		s := &script{replies: []reply{
			accepts(`{"id":"j1","state":"queued","links":{"self":"/s","result":"https://api.test:443/r"}}`), finished,
		}}
		resp, err := client.New(client.WithBase(s)).RoundTrip(request(t, http.MethodPost, "https://api.test/", ""))
		require.NoError(t, err)
		assert.Equal(t, "done", read(t, resp).body)
	})
}

func TestPollsAreRequestsOfTheirOwn(t *testing.T) {
	s := &script{replies: []reply{accepted, unfinished, finished}}
	synctest.Test(t, func(t *testing.T) {
		req := request(t, http.MethodPost, "http://10.0.0.1/async", "a body")
		req.Host = "api.test"
		for _, name := range []string{"Content-Type", "Content-MD5", "Expect", "If-None-Match", "Range", "X-HTTP-Method-Override", "Idempotency-Key", "TE"} {
			req.Header.Set(name, "of the request")
		}
		req.Header.Set("Prefer", "respond-async")
		req.Header.Set("Authorization", "Bearer t1")
		req.Header["x-raw"] = []string{"kept"}
		resp, err := client.New(client.WithBase(s)).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, "done", read(t, resp).body)
		for _, poll := range s.sent[1:] {
			assert.Equal(t, http.MethodGet, poll.Method)
			assert.Equal(t, "http://10.0.0.1/jobs/j1/result", poll.URL.String())
			assert.Equal(t, "api.test", poll.Host)
			assert.Equal(t, http.NoBody, poll.Body)
			assert.Equal(t, http.Header{"Authorization": {"Bearer t1"}, "Prefer": {"wait=30"}, "x-raw": {"kept"}}, poll.Header)
		}
	})
}

func TestProgressSurvivesAServerWithItsOwnDocuments(t *testing.T) {
	var states []string
	s := &script{replies: []reply{accepted, says(200, `{"own":"document"}`), unfinished, finished}}
	play(t, s, func(t *testing.T, resp *http.Response, err error) {
		require.NoError(t, err)
		assert.Equal(t, "done", read(t, resp).body)
		assert.Equal(t, []string{"queued"}, states)
	}, client.WithProgress(func(status client.Status) { states = append(states, status.State) }))
}

func TestProgressAsksForNewsOnly(t *testing.T) {
	show := func(state string, done bool, version int) reply {
		return says(200, document(state, done, version), "Content-Type", "application/json", "ETag", fmt.Sprintf(`"%d"`, version), "Retry-After", "0")
	}
	s := &script{replies: []reply{
		accepted, says(304, "", "Retry-After", "0").after(30 * time.Second), show("in_progress", false, 2), says(503, ""),
		show("in_progress", false, 2), show("completed", true, 3).after(time.Second), finished,
	}}
	var versions []int64
	play(t, s, func(t *testing.T, resp *http.Response, err error) {
		require.NoError(t, err)
		assert.Equal(t, "done", read(t, resp).body)
		assert.Equal(t, []int64{1, 2, 3}, versions, "each change once")
		var known []string
		for _, poll := range s.sent[1:] {
			known = append(known, poll.Header.Get("If-None-Match"))
		}
		assert.Equal(t, []string{`"1"`, `"1"`, `"2"`, `"2"`, `"2"`, ""}, known)
		assert.GreaterOrEqual(t, s.pauses()[2], 200*time.Millisecond, "news do not come too fast")
	}, client.WithProgress(func(status client.Status) { versions = append(versions, status.Version) }))
}
