package ginasync_test

import (
	"context"
	"encoding/json"
	"net/http"
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

func (a answer) list(t *testing.T) (ids []string, next string) {
	t.Helper()
	var list ginasync.StatusList
	require.Equal(t, http.StatusOK, a.StatusCode, "body: %s", a.body)
	require.NoError(t, json.Unmarshal(a.body, &list))
	for _, job := range list.Jobs {
		ids = append(ids, job.ID)
	}
	return ids, list.NextPageToken
}

// lister starts a Manager without workers whose jobs are those of users.
func lister(t *testing.T, opts ...ginasync.Option) *app {
	t.Helper()
	return startApp(t, gin.New(), memstore.New(), append(opts, ginasync.WithoutWorkers(), ginasync.WithOwner(byUser))...)
}

// queuedJobs stores n jobs and returns their ids, newest first.
func queuedJobs(t *testing.T, s store.Store, owner string, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[n-1-i] = jobIn(t, s, owner, store.Queued)
	}
	return ids
}

func TestList(t *testing.T) {
	t.Run("shows the caller's jobs alone, newest first, as status documents", func(t *testing.T) {
		a := lister(t)
		jobIn(t, a.store, "bob", store.Queued)
		mine := queuedJobs(t, a.store, "ann", 3)
		jobIn(t, a.store, "", store.Queued)
		got := a.get("/jobs", "User", "ann")
		ids, next := got.list(t)
		assert.Equal(t, mine, ids)
		assert.Empty(t, next)
		assert.Empty(t, got.Header.Get("Link"))
		assert.Equal(t, "private, no-store", got.Header.Get("Cache-Control"))

		var list struct{ Jobs []json.RawMessage }
		require.NoError(t, json.Unmarshal(got.body, &list))
		assert.JSONEq(t, string(a.get("/jobs/"+mine[0], "User", "ann").body), string(list.Jobs[0]))
		assert.JSONEq(t, `{"jobs":[]}`, string(a.get("/jobs", "User", "carl").body))
	})

	t.Run("filters by states and route", func(t *testing.T) {
		a := lister(t)
		ids := everyJob(t, a.store, "ann")
		other := jobFrom(t, a.store, store.NewJob{Route: "GET /a b/:c", Queue: "q", Owner: "ann", MaxAttempts: 1, Retention: time.Hour}, store.Queued)
		for query, want := range map[string][]string{
			"state=failed":                   {ids[store.Failed]},
			"state=failed,completed":         {ids[store.Failed], ids[store.Completed]},
			"state=failed&state=,%20queued":  {ids[store.Failed], other, ids[store.Queued]},
			"state=queued,queued":            {other, ids[store.Queued]},
			"route=GET+/a%20b/:c":            {other},
			"route=GET+/a+b/:c&state=failed": nil,
			"route=GET":                      nil,
			"state=&route=&unknown=1": {
				other, ids[store.Queued], ids[store.Scheduled], ids[store.Canceled],
				ids[store.Failed], ids[store.Completed], ids[store.InProgress],
			},
		} {
			got, _ := a.get("/jobs?"+query, "User", "ann").list(t)
			assert.ElementsMatch(t, want, got, query)
		}
	})

	t.Run("goes from page to page by Link and by token", func(t *testing.T) {
		a := lister(t)
		jobIn(t, a.store, "bob", store.Queued)
		want := queuedJobs(t, a.store, "ann", 7)
		var byLink, byToken []string
		query := "page_size=3&state=queued,scheduled&route=POST+/x&version=1"
		for path := "/jobs?" + query; path != ""; {
			got := a.get(path, "User", "ann")
			ids, token := got.list(t)
			assert.LessOrEqual(t, len(ids), 3)
			byLink = append(byLink, ids...)
			path = strings.TrimSuffix(strings.TrimPrefix(got.Header.Get("Link"), "<"), `>; rel="next"`)
			assert.Equal(t, token != "", path != "")
			if path != "" {
				assert.Contains(t, path, "version=1", "what is not understood is kept")
			}
		}
		assert.Equal(t, want, byLink)
		for token, more := "", true; more; more = token != "" {
			var ids []string
			ids, token = a.get("/jobs?"+query+"&page_token="+token, "User", "ann").list(t)
			byToken = append(byToken, ids...)
		}
		assert.Equal(t, want, byToken)
	})

	t.Run("brings page_size into its range", func(t *testing.T) {
		a := lister(t)
		queuedJobs(t, a.store, "ann", 201)
		for size, want := range map[string]int{
			"": 50, "0": 50, "-1": 50, "1": 1, "200": 200, "201": 200, "99999999999999999999999": 200, "-99999999999999999999999": 50,
		} {
			ids, next := a.get("/jobs?page_size="+size, "User", "ann").list(t)
			assert.Len(t, ids, want, size)
			assert.NotEmpty(t, next)
		}
	})

	t.Run("answers HEAD with the headers alone", func(t *testing.T) {
		a := lister(t)
		queuedJobs(t, a.store, "ann", 2)
		got := a.do(http.MethodHead, "/jobs?page_size=1", nil, "User", "ann")
		assert.Equal(t, http.StatusOK, got.StatusCode)
		assert.Contains(t, got.Header.Get("Link"), `rel="next"`)
		assert.Empty(t, got.body)
	})

	t.Run("shows nothing of the request", func(t *testing.T) {
		r := gin.New()
		r.POST("/x", ginasync.Async(text("")))
		a := startApp(t, r, memstore.New(), ginasync.WithoutWorkers(), ginasync.WithOwner(byUser))
		a.submit("/x?q=confidential", "confidential", "User", "ann-confidential", "Authorization", "confidential")
		got := a.get("/jobs", "User", "ann-confidential")
		ids, _ := got.list(t)
		assert.Len(t, ids, 1)
		assert.NotContains(t, string(got.body), "confidential")
	})

	t.Run("has the URLs that WithURL and WithBaseURL make", func(t *testing.T) {
		for want, opt := range map[string]ginasync.Option{
			"<https://api.example.com/v2/jobs?": ginasync.WithBaseURL("https://api.example.com/v2"),
			"<//x/jobs?":                        ginasync.WithURL(func(_ *gin.Context, path string) string { return "//x" + path }),
			"":                                  ginasync.WithURL(func(*gin.Context, string) string { return "" }),
		} {
			a := lister(t, opt)
			queuedJobs(t, a.store, "ann", 2)
			link := a.get("/jobs?page_size=1", "User", "ann").Header.Get("Link")
			assert.True(t, strings.HasPrefix(link, want), "%q begins with %q", link, want)
			assert.Equal(t, want == "", link == "")
		}
	})
}

func TestListRefuses(t *testing.T) {
	t.Run("what it cannot read, and says what it takes", func(t *testing.T) {
		a := lister(t)
		queuedJobs(t, a.store, "bob", 2)
		queuedJobs(t, a.store, "ann", 2)
		_, ofBob := a.get("/jobs?page_size=1", "User", "bob").list(t)
		_, ofAnn := a.get("/jobs?page_size=1", "User", "ann").list(t)
		for query, want := range map[string]ginasync.FieldError{
			"state=done":                                {Field: "state", Detail: "queued, scheduled, in_progress, completed, failed, canceled"},
			"state=queued,DONE":                         {Field: "state", Detail: `"DONE"`},
			"state=" + strings.Repeat("x", 100):         {Field: "state", Detail: `"` + strings.Repeat("x", 40) + `"`},
			"page_size=many":                            {Field: "page_size", Detail: "whole number"},
			"page_size=1&page_size=2":                   {Field: "page_size", Detail: "more than once"},
			"route=a&route=b":                           {Field: "route", Detail: "more than once"},
			"page_token=x":                              {Field: "page_token", Detail: "first page"},
			"page_token=" + ofBob:                       {Field: "page_token", Detail: "first page"},
			"state=queued&page_token=" + ofAnn:          {Field: "page_token", Detail: "first page"},
			"route=POST+/x&page_token=" + ofAnn:         {Field: "page_token", Detail: "first page"},
			"page_token=" + ofAnn + "&page_token=again": {Field: "page_token", Detail: "more than once"},
			"state=%zz":                                 {Detail: "malformed"},
		} {
			got := a.get("/jobs?"+query, "User", "ann")
			assert.Equal(t, http.StatusBadRequest, got.StatusCode, query)
			problem := got.problem(t)
			assert.Contains(t, problem.Type, "#invalid-request")
			require.Len(t, problem.Errors, 1, query)
			assert.Equal(t, want.Field, problem.Errors[0].Field)
			assert.Equal(t, "query", problem.Errors[0].In)
			assert.Contains(t, problem.Errors[0].Detail, want.Detail)
		}
		assert.Len(t, a.get("/jobs?state=a&page_size=b&route=&route=", "User", "ann").problem(t).Errors, 3, "all at once")
	})

	t.Run("who is nobody", func(t *testing.T) {
		a := lister(t)
		jobIn(t, a.store, "", store.Queued)
		got := a.get("/jobs")
		assert.Equal(t, http.StatusForbidden, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#owner-unknown")
	})

	t.Run("when the store does not answer", func(t *testing.T) {
		a := startApp(t, gin.New(), unlistedStore{memstore.New()}, ginasync.WithoutWorkers(), ginasync.WithOwner(byUser))
		got := a.get("/jobs", "User", "ann")
		assert.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#store-unavailable")
	})
}

// unlistedStore fails to list.
type unlistedStore struct{ store.Store }

func (unlistedStore) List(context.Context, store.Query) (store.Page, error) {
	return store.Page{}, errDeaf
}

func TestListLeavesOutWhatWithAuthorizeRefuses(t *testing.T) {
	a := lister(t, ginasync.WithAuthorize(func(c *gin.Context, job ginasync.Job, action ginasync.Action) error {
		assert.Equal(t, "ann", job.Owner)
		if action == ginasync.ActionList && job.Route != "POST /x" {
			return &ginasync.Problem{Title: "no", Status: http.StatusTeapot}
		}
		return nil
	}))
	want := queuedJobs(t, a.store, "ann", 2)
	jobFrom(t, a.store, store.NewJob{Route: "POST /y", Queue: "q", Owner: "ann", MaxAttempts: 1, Retention: time.Hour}, store.Queued)
	ids, _ := a.get("/jobs", "User", "ann").list(t)
	assert.Equal(t, want, ids)
}

func TestManagerList(t *testing.T) {
	a := startApp(t, gin.New(), memstore.New(), ginasync.WithoutWorkers())
	want := queuedJobs(t, a.store, "ann", 2)
	page, err := a.jobs.List(t.Context(), store.Query{Owner: "ann", Limit: 1})
	require.NoError(t, err)
	require.Len(t, page.Jobs, 1)
	assert.Equal(t, want[0], page.Jobs[0].ID)
	_, err = a.jobs.List(t.Context(), store.Query{Owner: "bob", Cursor: page.Next})
	require.ErrorIs(t, err, store.ErrBadCursor)
}
