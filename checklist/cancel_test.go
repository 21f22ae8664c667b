package checklist_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/asyncendpoints/gin-async/store"
)

func keepsToItsStates(t *testing.T, s *site) {
	here, there := s.clients(t)
	isCancelled(t, here, there)
	isDeleted(t, here, there)
	isRetried(t, here, there)
	endsOnce(t, s)
}

func isCancelled(t *testing.T, here, there caller) {
	for _, route := range []string{"/shelved", "/later"} {
		self := "/jobs/" + here.submit(route)
		for range 2 {
			got := there.post(self + "/cancel")
			assert.Equal(t, http.StatusOK, got.StatusCode)
			assert.Equal(t, store.Canceled, got.status(t).State)
		}
		assert.Equal(t, store.Canceled, here.get(self).status(t).State)
	}
	running := here.hold("/held")
	running.isRunning(t)
	asked := there.post("/jobs/" + running.id + "/cancel")
	assert.Equal(t, http.StatusAccepted, asked.StatusCode)
	assert.NotNil(t, asked.status(t).CancelRequestedAt)
	for _, c := range []caller{here, there} {
		assert.Equal(t, store.Canceled, c.await(running.id).State)
		assert.Equal(t, http.StatusOK, c.post("/jobs/"+running.id+"/cancel").StatusCode)
		c.get("/jobs/"+running.id+"/result").isProblem(t, http.StatusConflict, "job-canceled")
	}
	for _, route := range []string{"/any", "/answers/404"} {
		id := here.finished(there, route)
		there.post("/jobs/"+id+"/cancel").isProblem(t, http.StatusConflict, "job-not-cancelable")
	}
}

func isDeleted(t *testing.T, here, there caller) {
	for _, route := range []string{"/shelved", "/later", "/any", "/answers/404"} {
		id, want := here.submit(route), http.StatusAccepted
		if route == "/any" || route == "/answers/404" {
			want = http.StatusNoContent
			there.await(id)
		}
		assert.Equal(t, want, there.do(http.MethodDelete, "/jobs/"+id, "").StatusCode)
		if want == http.StatusAccepted {
			assert.Equal(t, store.Canceled, here.await(id).State)
			assert.Equal(t, http.StatusNoContent, there.do(http.MethodDelete, "/jobs/"+id, "").StatusCode)
		}
		for _, c := range []caller{here, there} {
			c.get("/jobs/"+id).isProblem(t, http.StatusNotFound, "job-not-found")
		}
	}
	running := here.hold("/held")
	running.isRunning(t)
	assert.Equal(t, http.StatusAccepted, there.do(http.MethodDelete, "/jobs/"+running.id, "").StatusCode)
	assert.Equal(t, store.Canceled, here.await(running.id).State)
}

func isRetried(t *testing.T, here, there caller) {
	id := here.finished(there, "/answers/404")
	again := there.post("/jobs/" + id + "/retry")
	assert.Equal(t, http.StatusAccepted, again.StatusCode)
	assert.Equal(t, id, again.status(t).ID, "the same job")
	status := here.await(id)
	assert.Equal(t, 2, status.Attempt)
	assert.Equal(t, store.Failed, status.State)
	there.post("/jobs/"+here.submit("/later")+"/retry").isProblem(t, http.StatusConflict, "job-not-retryable")
	there.post("/jobs/"+here.finished(there, "/any")+"/retry").isProblem(t, http.StatusConflict, "job-not-retryable")
}

// endsOnce lets jobs finish here while they are cancelled there.
func endsOnce(t *testing.T, s *site) {
	here, there := s.clients(t)
	ends := make(map[store.State]int)
	for i := range 20 {
		held := here.hold("/told")
		held.isRunning(t)
		if i%2 == 1 { // the handler has the start
			held.tell(t, "end")
		}
		cancelling := there.begin(t.Context(), http.MethodPost, "/jobs/"+held.id+"/cancel")
		words := held.words
		if i%2 == 1 {
			words = nil
		}
		select {
		case words <- "end":
		case answered := <-cancelling: // and the handler may be stopped before it hears
			cancelling <- answered
		}
		status := there.await(held.id)
		assert.Contains(t, []store.State{store.Completed, store.Canceled}, status.State)
		answered := received(t, cancelling)
		assert.Contains(t, []int{http.StatusOK, http.StatusAccepted, http.StatusConflict}, answered.StatusCode)
		assert.Equal(t, answered.StatusCode == http.StatusConflict, status.State == store.Completed)
		assert.Equal(t, status, here.get("/jobs/"+held.id).status(t))
		ends[status.State]++

		message := s.hook.await(t, held.id, 1)[0]
		assert.Equal(t, "job."+string(status.State), message.event.Type)
		assert.Equal(t, status.Version, message.status.Version)
		s.hook.mustStay(held.id)
	}
	t.Logf("%v", ends)
}
