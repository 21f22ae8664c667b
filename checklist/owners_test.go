package checklist_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
)

func isHidden(t *testing.T, s *site) {
	here, there := s.clients(t)
	running := here.hold("/held")
	running.isRunning(t)
	hidden := map[string]string{
		"queued": here.submit("/shelved"), "scheduled": here.submit("/later"), "in_progress": running.id,
		"completed": here.finished(there, "/any"), "failed": here.finished(there, "/answers/404"), "canceled": here.submit("/shelved"),
	}
	require.Equal(t, http.StatusOK, there.post("/jobs/"+hidden["canceled"]+"/cancel").StatusCode)
	before := make(map[string]ginasync.Status)
	for state, id := range hidden {
		before[state] = there.get("/jobs/" + id).status(t)
		require.EqualValues(t, state, before[state].State)
	}
	hidden["over long ago"] = here.submit("/brief")
	finds(t, "its retention ends", func() bool { return there.get("/jobs/"+hidden["over long ago"]).StatusCode == http.StatusNotFound })
	hidden["malformed"] = "A" + store.NewID('a')[1:]

	for _, stranger := range []caller{here.as("a stranger"), there.as("a stranger"), there.as("")} {
		assert.NotEqual(t, http.StatusInternalServerError, stranger.get("/jobs").StatusCode)
		for _, q := range questions() {
			never := stranger.ask(q, store.NewID('a'))
			require.Equal(t, http.StatusNotFound, never.StatusCode, q)
			assert.Equal(t, "no-store", never.Header.Get("Cache-Control"))
			want := never.wire(t)
			for name, id := range hidden {
				assert.Equal(t, want, stranger.ask(q, id).wire(t), "%s: a job that is %s", q, name)
			}
		}
	}
	assert.Empty(t, there.as("a stranger").list())
	for state, status := range before {
		after := here.get("/jobs/" + hidden[state]).status(t)
		after.RetryAfter = status.RetryAfter // which has some chance in it
		assert.Equal(t, status, after, "nothing became of it")
	}
	running.tell(t, "end")
}

func hasCacheControl(t *testing.T, s *site) {
	here, there := s.clients(t)
	later, shelved := "/jobs/"+here.submit("/later"), "/jobs/"+here.submit("/shelved")
	done, gone := "/jobs/"+here.finished(there, "/any"), "/jobs/"+here.finished(there, "/answers/410")
	removed := "/jobs/" + store.NewID('a')
	for _, test := range []struct {
		status       int
		c            caller
		method, path string
		header       []string
	}{
		{202, here, http.MethodPost, "/any", nil},
		{200, here, http.MethodPost, "/any", []string{"Prefer", "wait=20"}},
		{410, here, http.MethodPost, "/answers/410", []string{"Prefer", "wait=20"}},
		{204, here, http.MethodOptions, "/any", nil},
		{405, here, http.MethodHead, "/any", nil},
		{400, here, http.MethodPost, "/any", []string{keyHeader, `"`}},
		{403, here.as(""), http.MethodPost, "/any", nil},
		{200, there, http.MethodGet, later, nil},
		{304, there, http.MethodGet, later, []string{"If-None-Match", "*"}},
		{404, there, http.MethodGet, removed, nil},
		{404, there, http.MethodGet, "/jobs/nonsense", nil},
		{200, there, http.MethodGet, done + "/result", nil},
		{206, there, http.MethodGet, done + "/result", []string{"Range", "bytes=0-3"}},
		{416, there, http.MethodGet, done + "/result", []string{"Range", "bytes=100-"}},
		{200, there, http.MethodGet, done + "/result?envelope=1", nil},
		{410, there, http.MethodGet, gone + "/result", nil},
		{409, there, http.MethodGet, later + "/result", nil},
		{404, there, http.MethodGet, removed + "/result", nil},
		{200, there, http.MethodGet, done + "/events", nil},
		{204, there, http.MethodGet, done + "/events", []string{"Last-Event-ID", "99"}},
		{406, there, http.MethodGet, done + "/events", []string{"Accept", "application/json"}},
		{409, there, http.MethodPost, done + "/cancel", nil},
		{200, there, http.MethodPost, later + "/cancel", nil},
		{409, there, http.MethodPost, done + "/retry", nil},
		{202, there, http.MethodPost, gone + "/retry", nil},
		{202, there, http.MethodDelete, shelved, nil},
		{204, there, http.MethodDelete, done, nil},
		{404, there, http.MethodDelete, done, nil},
		{200, there, http.MethodGet, "/jobs", nil},
		{400, there, http.MethodGet, "/jobs?state=nonsense", nil},
	} {
		got := test.c.do(test.method, test.path, "", test.header...)
		require.Equal(t, test.status, got.StatusCode, "%s %s: %s", test.method, test.path, got.body)
		require.Len(t, got.Header.Values("Cache-Control"), 1, "%s %s", test.method, test.path)
		assert.Regexp(t, "no-store|no-cache", got.Header.Get("Cache-Control"), "%s %s", test.method, test.path)
	}
}

func keepsNoCredentials(t *testing.T, s *site) {
	for _, sealed := range []bool{false, true} {
		s := s.another(t, true, sealed)
		here, there := s.clients(t)
		id := here.finished(there, "/credentials",
			"Authorization", "Bearer "+tokenMark, "Cookie", "session="+cookieMark, "X-Other", otherMark)
		result := there.get("/jobs/" + id + "/result")
		assert.Equal(t, plainWords, result.body)
		assert.Equal(t, map[bool]string{true: "true", false: "false"}[sealed], result.Header.Get("X-Given"), "encrypted they go along")
		text := s.watch.overheard(t)
		for _, mark := range []string{tokenMark, cookieMark, setMark} {
			assert.NotContains(t, text, mark)
			assert.NotContains(t, result.wire(t)+there.get("/jobs/"+id).body, mark)
		}
		assert.Contains(t, text, "POST /credentials", "one would be heard")
		if !sealed {
			assert.Contains(t, text, otherMark)
		}
	}
}

func neverReachesTheStore(t *testing.T, s *site) {
	s = s.another(t, true, false)
	here, there := s.clients(t)
	malformed := []string{"malformed-id", "A" + store.NewID('a')[1:], store.NewID('a') + "a", store.NewID('a')[1:]}
	unknown := store.NewID('a')
	for _, c := range []caller{here, there} {
		for _, q := range questions() {
			for _, id := range append(malformed, unknown) {
				assert.Equal(t, http.StatusNotFound, c.ask(q, id).StatusCode, "%s %s", q, id)
			}
		}
	}
	text := s.watch.overheard(t)
	assert.Contains(t, text, unknown, "one would be heard")
	for _, id := range malformed {
		assert.NotContains(t, text, id)
	}
}
