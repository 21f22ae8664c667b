package checklist_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func isMarked(t *testing.T, s *site) {
	here, there := s.clients(t)
	for _, status := range []int{200, 202, 303, 401, 404, 409, 410} {
		route := "/answers/" + strconv.Itoa(status)
		result := there.get("/jobs/" + here.finished(there, route) + "/result")
		for _, got := range []answer{result, here.post(route, "Prefer", "wait=20")} {
			require.Equal(t, status, got.StatusCode)
			assert.Equal(t, strconv.Itoa(status), got.Header.Get("AsyncResult"))
			assert.Equal(t, "/elsewhere", got.Header.Get("Location"))
			assert.Equal(t, "7", got.Header.Get("Retry-After"))
			assert.Equal(t, `Basic realm="reports"`, got.Header.Get("WWW-Authenticate"))
			assert.JSONEq(t, `{"title":"own words"}`, got.body)
		}
	}
	early := there.get("/jobs/" + here.submit("/later") + "/result")
	early.isProblem(t, http.StatusConflict, "job-not-finished")
	assert.NotEmpty(t, early.Header.Get("Retry-After"))
	there.get("/jobs/"+store.NewID('a')+"/result").isProblem(t, http.StatusNotFound, "job-not-found")
}

func leadsWhereItLed(t *testing.T, s *site) {
	here, there := s.clients(t)
	got := there.get("/jobs/" + here.finished(there, "/v1/reports/annual?year=2026") + "/result")
	assert.Equal(t, "/v1/reports/991", got.Header.Get("Location"))
	assert.Equal(t, "/v1/status?of=991", got.Header.Get("Content-Location"))
	assert.Equal(t, `</v1/reports/991/pages>; rel="section", </top>; rel=top, <https://other.example/x>; rel=up`, got.Header.Get("Link"))
}

func hasNoMomentaryHeader(t *testing.T, s *site) {
	here, there := s.clients(t)
	got := there.get("/jobs/" + here.finished(there, "/headers") + "/result")
	for name := range momentary() {
		assert.NotContains(t, got.Header, name)
	}
	assert.Equal(t, "private, no-store", got.Header.Get("Cache-Control"))
	assert.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
	assert.Equal(t, "yes", got.Header.Get("X-Kept"))
	assert.Equal(t, plainWords, got.body)
}

func isStoredPlain(t *testing.T, s *site) {
	here, there := s.clients(t)
	for _, route := range []string{"/zipped/outside", "/zipped/inside"} {
		accepted := here.post(route, "Accept-Encoding", "gzip")
		if route == "/zipped/outside" {
			require.Equal(t, "gzip", accepted.Header.Get("Content-Encoding"), "the middleware works")
		}
		require.Equal(t, http.StatusAccepted, accepted.StatusCode)
		self := accepted.Header.Get("Location")
		require.NotEmpty(t, self)
		status := there.await(self[len("/jobs/"):])
		assert.EqualValues(t, len(plainWords), status.Response.Bytes)
		got := there.get(self+"/result", "Accept-Encoding", "identity")
		assert.Equal(t, plainWords, got.body)
		assert.NotContains(t, got.Header, "Content-Encoding")
	}
}

func hasNoStack(t *testing.T, s *site) {
	here, there := s.clients(t)
	held := here.hold("/once")
	held.tell(t, "panic")
	status := there.await(held.id)
	assert.Equal(t, store.Failed, status.State)
	result := there.get("/jobs/" + held.id + "/result")
	assert.Equal(t, http.StatusInternalServerError, result.StatusCode)
	assert.Equal(t, "500", result.Header.Get("AsyncResult"))
	assert.Equal(t, "application/problem+json", result.Header.Get("Content-Type"))
	assert.Contains(t, result.body, "#panic")
	for _, text := range []string{result.body, there.get("/jobs/" + held.id).body} {
		for _, inner := range []string{"the-words-of-a-panic", "goroutine", ".go:"} {
			assert.NotContains(t, text, inner)
		}
	}
	assert.Contains(t, s.accepts.log()+s.shows.log(), "the-words-of-a-panic", "the log has it")
}

func isNeverCutOff(t *testing.T, s *site) {
	here, there := s.clients(t)
	id := here.submit("/large")
	status := there.await(id)
	assert.Equal(t, store.Failed, status.State)
	assert.Equal(t, 1, status.Attempt, "another attempt mends nothing")
	assert.Contains(t, status.Error.Type, "#result-too-large")
	result := there.get("/jobs/" + id + "/result")
	assert.Equal(t, http.StatusInternalServerError, result.StatusCode)
	assert.Contains(t, result.body, "#result-too-large")
	assert.NotContains(t, result.body, "0123456789")
}

func isLeftAlone(t *testing.T, s *site) {
	here, there := s.clients(t)
	gate, words := here.gate()
	submitter, submitterLeaves := contextOf(t)
	submitting := here.begin(submitter, http.MethodPost, "/held"+gate, "Prefer", "wait=20")
	held := heldJob{there.only(), words}
	held.isRunning(t)
	poller, pollerLeaves := contextOf(t)
	polling := there.begin(poller, http.MethodGet, "/jobs/"+held.id, "Prefer", "wait=20")
	submitterLeaves()
	pollerLeaves()
	require.ErrorIs(t, (<-submitting).err, submitter.Err())
	require.ErrorIs(t, (<-polling).err, poller.Err())
	held.isRunning(t)
	held.tell(t, "end")
	status := there.await(held.id)
	assert.Equal(t, store.Completed, status.State)
	assert.Equal(t, 1, status.Attempt)
	assert.Equal(t, http.StatusCreated, there.get("/jobs/"+held.id+"/result").StatusCode)
}
