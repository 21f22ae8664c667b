package checklist_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}

func hasAnETag(t *testing.T, s *site) {
	here, there := s.clients(t)
	held := here.hold("/held")
	held.isRunning(t)
	self := "/jobs/" + held.id
	first := there.get(self)
	tag := first.Header.Get("ETag")
	assert.Equal(t, strconv.Quote(strconv.FormatInt(first.status(t).Version, 10)), tag)
	for _, c := range []caller{here, there} {
		got := c.get(self)
		assert.Equal(t, tag, got.Header.Get("ETag"))
		for _, has := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
			got := c.get(self, "If-None-Match", has)
			require.Equal(t, http.StatusNotModified, got.StatusCode, has)
			assert.NotEmpty(t, got.Header.Get("Retry-After"))
			assert.Equal(t, tag, got.Header.Get("ETag"))
			assert.Empty(t, got.body)
		}
	}
	held.tell(t, "half")
	changed := there.get(self, "If-None-Match", tag, "Prefer", "wait=20")
	require.Equal(t, http.StatusOK, changed.StatusCode)
	assert.EqualValues(t, 50, changed.status(t).Progress.Percent)
	assert.NotEqual(t, tag, changed.Header.Get("ETag"))
	held.tell(t, "end")
	there.await(held.id)
	assert.Equal(t, http.StatusOK, here.get(self, "If-None-Match", changed.Header.Get("ETag")).StatusCode)
}

// readAgain is when a long poll reads the job although it was told nothing. One that is
// answered sooner was told.
const readAgain = 5 * time.Second

func missesNoChange(t *testing.T, s *site) {
	here, there := s.clients(t)
	for i := range 20 {
		self := "/jobs/" + here.submit("/shelved")
		tag := there.get(self).Header.Get("ETag")
		if i%4 == 3 { // the change comes before the poll, else at about the same time
			here.post(self + "/cancel")
		}
		polling := there.begin(t.Context(), http.MethodGet, self, "If-None-Match", tag, "Prefer", "wait=20")
		if i%4 < 3 {
			<-after(time.Duration(i%4) * time.Millisecond)
			here.post(self + "/cancel")
		}
		got := received(t, polling)
		require.Equal(t, http.StatusOK, got.StatusCode)
		assert.Equal(t, store.Canceled, got.status(t).State)
		assert.Less(t, got.took, readAgain-time.Second)
	}

	held := here.hold("/held")
	held.isRunning(t)
	self := "/jobs/" + held.id
	nothing := there.get(self, "If-None-Match", there.get(self).Header.Get("ETag"), "Prefer", "wait=1")
	assert.Equal(t, http.StatusNotModified, nothing.StatusCode, "later than WriteTimeout")
	assert.Equal(t, "0", nothing.Header.Get("Retry-After"))
	untilDone := there.begin(t.Context(), http.MethodGet, self, "Prefer", "wait=20")
	result := there.begin(t.Context(), http.MethodGet, self+"/result", "Prefer", "wait=20")
	held.tell(t, "half")
	held.tell(t, "end")
	assert.True(t, received(t, untilDone).status(t).Done)
	assert.Equal(t, http.StatusCreated, received(t, result).StatusCode)
}
