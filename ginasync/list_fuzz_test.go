package ginasync_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzList(f *testing.F) {
	for _, seed := range []string{
		"", "state=queued,failed&state=canceled", "route=POST+/x&page_size=1", "page_size=-1&page_size=2",
		"page_token=AQ", "state=%zz;", "state=none&route=&page_token=&page_size=x", "page_size=1&page_token=" + store.NewCursor(store.Query{Owner: "ann"}, "x"),
	} {
		f.Add(seed)
	}
	r := gin.New()
	s := memstore.New()
	jobs, err := ginasync.New(r, ginasync.WithStore(s), ginasync.WithoutWorkers(),
		ginasync.WithOwner(func(*gin.Context) string { return "ann" }))
	require.NoError(f, err)
	jobs.Routes(r.Group("/jobs"))
	mine := make(map[string]bool)
	for i := range 6 {
		owner := []string{"ann", "bob"}[i%2]
		job, _, err := s.Create(f.Context(), store.NewJob{Route: "POST /x", Queue: "q", Owner: owner, MaxAttempts: 1, Retention: time.Hour})
		require.NoError(f, err)
		mine[job.ID] = owner == "ann"
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := serveQuery(t, r, raw)
		if got.StatusCode == http.StatusBadRequest {
			assert.NotEmpty(t, got.problem(t).Errors)
			return
		}
		ids, next := got.list(t)
		for _, id := range ids {
			assert.True(t, mine[id], "a job of somebody else")
		}
		assert.Equal(t, next != "", got.Header.Get("Link") != "")
		if next != "" {
			link, err := url.Parse(strings.TrimSuffix(strings.TrimPrefix(got.Header.Get("Link"), "<"), `>; rel="next"`))
			require.NoError(t, err)
			followed, _ := serveQuery(t, r, link.RawQuery).list(t)
			assert.NotEmpty(t, followed, "there is a next page")
			assert.NotContains(t, followed, ids[0])
		}
	})
}

func serveQuery(t *testing.T, r http.Handler, raw string) answer {
	t.Helper()
	w := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/jobs", http.NoBody)
	req.URL.RawQuery = raw
	r.ServeHTTP(w, req)
	return answer{w.Result(), w.Body.Bytes()}
}
