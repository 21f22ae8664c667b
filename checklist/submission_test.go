package checklist_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

const keyHeader = "Idempotency-Key"

func leavesTheKeyFree(t *testing.T, s *site) {
	s = s.another(t, true, false)
	here, there := s.clients(t)
	here.as("somebody").finished(there.as("somebody"), "/any") // all is there that a first job needs
	s.watch.refuseWrites(t, true)
	refused := here.post("/any", keyHeader, "k")
	s.watch.refuseWrites(t, false)
	refused.isProblem(t, http.StatusServiceUnavailable, "store-unavailable")
	assert.NotEmpty(t, refused.Header.Get("Retry-After"))
	assert.Empty(t, refused.Header.Get("Location"))
	assert.Empty(t, there.list())

	accepted := there.post("/any", keyHeader, "k")
	require.Equal(t, http.StatusAccepted, accepted.StatusCode)
	assert.NotContains(t, accepted.Header, "Idempotent-Replayed")
	assert.Equal(t, accepted.status(t).ID, here.only())
	there.await(accepted.status(t).ID)
}

func isOneJob(t *testing.T, s *site) {
	here, there := s.clients(t)
	gate, words := here.gate()
	var pending []<-chan later
	for range 10 {
		for _, c := range []caller{here, there} {
			pending = append(pending, c.begin(t.Context(), http.MethodPost, "/once"+gate, keyHeader, `"same"`))
		}
	}
	fresh, ids := 0, make(map[string]bool)
	for _, p := range pending {
		got := received(t, p)
		require.Equal(t, http.StatusAccepted, got.StatusCode, got.body)
		ids[got.status(t).ID] = true
		if got.Header.Get("Idempotent-Replayed") == "" {
			fresh++
		}
		assert.Equal(t, "/jobs/"+got.status(t).ID, got.Header.Get("Location"))
	}
	assert.Len(t, ids, 1)
	assert.Equal(t, 1, fresh)
	id := there.only()
	heldJob{id, words}.tell(t, "end")
	assert.Equal(t, 1, here.await(id).Attempt)
	assert.Equal(t, here.get("/jobs/"+id+"/result").body, there.get("/jobs/"+id+"/result").body)
	again := here.post("/once"+gate, keyHeader, `"same"`)
	assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	assert.Equal(t, store.Completed, again.status(t).State, "the document is the present one")
}

func isOfOneRequestOfOneOwner(t *testing.T, s *site) {
	here, there := s.clients(t)
	first := here.do(http.MethodPost, "/any", "one", keyHeader, "k").status(t).ID
	there.do(http.MethodPost, "/any", "two", keyHeader, "k").isProblem(t, http.StatusUnprocessableEntity, "idempotency-key-reused")
	there.do(http.MethodPost, "/any?x=1", "one", keyHeader, "k").isProblem(t, http.StatusUnprocessableEntity, "idempotency-key-reused")
	other := there.as("other "+there.user).do(http.MethodPost, "/any", "two", keyHeader, "k")
	assert.Equal(t, http.StatusAccepted, other.StatusCode)
	assert.NotContains(t, other.Header, "Idempotent-Replayed")
	elsewhere := there.do(http.MethodPost, "/small", "one", keyHeader, "k").status(t).ID
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values([]string{first, other.status(t).ID, elsewhere}))), 3)
	assert.Len(t, here.list(), 2)
}

func isTheSameBare(t *testing.T, s *site) {
	here, there := s.clients(t)
	quoted := here.post("/any", keyHeader, `"8e03978e-40d5"`)
	bare := there.post("/any", keyHeader, `8e03978e-40d5`)
	assert.Equal(t, quoted.status(t).ID, bare.status(t).ID)
	assert.Equal(t, "true", bare.Header.Get("Idempotent-Replayed"))
	there.post("/any", keyHeader, `"open`).isProblem(t, http.StatusBadRequest, "idempotency-key-invalid")
	assert.Len(t, there.list(), 1)
}

func isNeverAnError(t *testing.T, s *site) {
	here, there := s.clients(t)
	held := here.hold("/held")
	for _, test := range []struct {
		lines                []string
		ofSubmission, ofPoll string
	}{
		{[]string{"Respond-Async"}, "respond-async", ""},
		{[]string{`x="wait=20, y"; z=1`, `WAIT="0"`}, "wait=0", "wait=0"},
		{[]string{"wait=0, wait=20"}, "wait=0", "wait=0"},
		{[]string{"wait=0;x=1 , RESPOND-ASYNC", "wait=20"}, "respond-async, wait=0", "wait=0"},
		{[]string{"wait=abc"}, "", ""},
		{[]string{`wait=-1, @@, =;, "`}, "", ""},
	} {
		var header []string
		for _, line := range test.lines {
			header = append(header, "Prefer", line)
		}
		submitted := here.post("/shelved", header...)
		assert.Equal(t, http.StatusAccepted, submitted.StatusCode, test.lines)
		assert.Equal(t, test.ofSubmission, submitted.Header.Get("Preference-Applied"), test.lines)
		polled := there.get("/jobs/"+held.id, header...)
		assert.Equal(t, http.StatusOK, polled.StatusCode, test.lines)
		assert.Equal(t, test.ofPoll, polled.Header.Get("Preference-Applied"), test.lines)
	}
	polling := there.begin(t.Context(), http.MethodGet, "/jobs/"+held.id, "Prefer", "wait=9999")
	held.tell(t, "end")
	assert.Equal(t, "wait=30", received(t, polling).Header.Get("Preference-Applied"), "as long as it may")
	here, there = here.as("inline "+here.user), there.as("inline "+here.user)
	gate, words := here.gate()
	submitting := here.begin(t.Context(), http.MethodPost, "/held"+gate, "Prefer", "respond-async, wait=9999")
	heldJob{there.only(), words}.tell(t, "end")
	got := received(t, submitting)
	assert.Equal(t, http.StatusCreated, got.StatusCode, "the handler's own answer")
	assert.Equal(t, "respond-async, wait=30", got.Header.Get("Preference-Applied"))
}

func variesByPrefer(t *testing.T, s *site) {
	here, there := s.clients(t)
	gate, words := here.gate()
	submitting := here.begin(t.Context(), http.MethodPost, "/polite"+gate)
	id := there.only()
	heldJob{id, words}.tell(t, "end")
	inline := received(t, submitting).answer
	assert.Equal(t, http.StatusCreated, inline.StatusCode)
	assert.Equal(t, "201", inline.Header.Get("AsyncResult"))
	assert.Equal(t, "</jobs/"+id+`>; rel="monitor"`, inline.Header.Get("Link"))
	for _, got := range []answer{
		inline, here.post("/any"), here.post("/any", "Prefer", "wait=20"), here.do(http.MethodPost, "/small", "far too large"),
		there.get("/jobs/" + id), there.get("/jobs/" + id + "/result"), there.get("/jobs/nonsense"),
	} {
		assert.Contains(t, got.Header.Values("Vary"), "Prefer", "%s %s", got.Request.URL, got.Status)
	}
}

func becomesNoJob(t *testing.T, s *site) {
	here, there := s.clients(t)
	options := here.do(http.MethodOptions, "/any", "")
	assert.Equal(t, http.StatusNoContent, options.StatusCode)
	assert.Contains(t, options.Header.Get("Allow"), http.MethodPost)
	assert.Equal(t, http.StatusMethodNotAllowed, here.do(http.MethodHead, "/any", "").StatusCode)
	here.get("/any", "Connection", "Upgrade", "Upgrade", "websocket").isProblem(t, http.StatusBadRequest, "upgrade-refused")
	assert.Empty(t, there.list())
	assert.Equal(t, here.submit("/any"), there.only(), "a job would be seen")
}
