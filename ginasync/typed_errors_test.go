package ginasync_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
)

func TestAsyncFuncRefusesRequests(t *testing.T) {
	typed := func(r *gin.Engine) { r.POST("/reports/:year", ginasync.AsyncFunc(echo)) }

	bad := []struct {
		name, path, body string
		want             []ginasync.FieldError
	}{
		{"missing fields", "/reports/2026", `{}`, []ginasync.FieldError{
			{Field: "title", In: "body", Detail: "is required"},
			{Field: "author.name", In: "body", Detail: "is required"},
		}},
		{"no body", "/reports/2026", ``, []ginasync.FieldError{
			{Field: "title", In: "body", Detail: "is required"},
			{Field: "author.name", In: "body", Detail: "is required"},
		}},
		{"every field of the wrong type", "/reports/2026", `{"title":5,"rows":["x"],"author":{"name":[]}}`, []ginasync.FieldError{
			{Field: "author.name", In: "body", Detail: "must be a string, not array"},
			{Field: "rows", In: "body", Detail: "must be a number (int), not string"},
			{Field: "title", In: "body", Detail: "must be a string, not number"},
		}},
		{"path and query of the wrong type", "/reports/soon?page=x", goodReport, []ginasync.FieldError{
			{Field: "page", In: "query", Detail: `has a value of the wrong type: strconv.ParseInt: parsing "x": invalid syntax`},
			{Field: "year", In: "path", Detail: `has a value of the wrong type: strconv.ParseInt: parsing "soon": invalid syntax`},
		}},
		{"a rule broken", "/reports/1899?page=0", goodReport, []ginasync.FieldError{
			{Field: "page", In: "query", Detail: "must satisfy min=1"},
			{Field: "year", In: "path", Detail: "must satisfy min=1900"},
		}},
		{"broken JSON", "/reports/2026", `{"title":`, []ginasync.FieldError{
			{In: "body", Detail: "is not JSON: it ends too early"},
		}},
		{"broken JSON with a wrong path", "/reports/1?page=0", `{"title" 5}`, []ginasync.FieldError{
			{In: "body", Detail: "is not JSON: invalid character '5' after object key at byte 10"},
			{Field: "page", In: "query", Detail: "must satisfy min=1"},
			{Field: "year", In: "path", Detail: "must satisfy min=1900"},
		}},
		{"JSON of another kind", "/reports/2026", `[]`, []ginasync.FieldError{
			{In: "body", Detail: "must be an object, not array"},
		}},
		{"two JSON values", "/reports/2026", goodReport + "{}", []ginasync.FieldError{
			{In: "body", Detail: "has something after the JSON value"},
		}},
	}
	for _, tt := range bad {
		t.Run("answers "+tt.name+" with 400 and stores no job", func(t *testing.T) {
			a := newApp(t, typed)
			got := a.postJSON(tt.path, tt.body)
			assert.Equal(t, http.StatusBadRequest, got.StatusCode)
			problem := got.problem(t)
			assert.Contains(t, problem.Type, "#invalid-request")
			assert.ElementsMatch(t, tt.want, problem.Errors)
			for _, one := range tt.want {
				assert.Contains(t, problem.Detail, one.Field)
			}
			assertNoJobs(t, a)
		})
	}

	t.Run("answers a body it cannot take with 415", func(t *testing.T) {
		a := newApp(t, typed)
		got := a.post("/reports/2026", "a: b", "Content-Type", "application/yaml")
		assert.Equal(t, http.StatusUnsupportedMediaType, got.StatusCode)
		assertNoJobs(t, a)
	})

	t.Run("answers a form where only JSON fits with 415", func(t *testing.T) {
		type onlyJSON struct {
			ID    string `uri:"id"`
			Title string `json:"title" binding:"required"`
		}
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/list", refuser[[]int]())
			r.POST("/object/:id", refuser[onlyJSON]())
		})
		for _, path := range []string{"/list", "/object/7"} {
			got := a.post(path, `{"title":"sent by curl -d"}`, "Content-Type", "application/x-www-form-urlencoded")
			assert.Equal(t, http.StatusUnsupportedMediaType, got.StatusCode)
			assert.Contains(t, got.problem(t).Detail, "Content-Type")
		}
		assertNoJobs(t, a)
	})

	t.Run("wants a body for a Req that is no struct", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", refuser[[]int]()) })
		for _, body := range []string{"", " \n"} {
			problem := a.postJSON("/x", body).problem(t)
			assert.Equal(t, http.StatusBadRequest, problem.Status)
			assert.Equal(t, "body is required", problem.Detail)
		}
		assertNoJobs(t, a)
	})
}

// refuser is a typed route of which only the check counts.
func refuser[Req any]() gin.HandlerFunc {
	return ginasync.AsyncFunc(func(context.Context, Req) (int, error) { return 0, nil })
}

// wrongFields posts to a route for Req and returns what the 400 says.
func wrongFields[Req any](t *testing.T, query, body, contentType string) []ginasync.FieldError {
	t.Helper()
	a := newApp(t, func(r *gin.Engine) { r.POST("/x", refuser[Req]()) })
	got := a.post("/x"+query, body, "Content-Type", contentType)
	assert.Equal(t, http.StatusBadRequest, got.StatusCode, "body: %s", got.body)
	return got.problem(t).Errors
}

type listOf[T any] struct {
	Items []T `json:"items" binding:"required,dive"`
}

// picky refuses every JSON value in words of its own.
type picky struct{}

func (*picky) UnmarshalJSON([]byte) error { return errors.New("ginasync_test.picky: no") }

func TestAsyncFuncNamesFields(t *testing.T) {
	const asJSON, asForm = "application/json", "application/x-www-form-urlencoded"

	t.Run("in types without a name", func(t *testing.T) {
		got := wrongFields[struct {
			Author struct {
				Name string `json:"name" binding:"required"`
			} `json:"author"`
		}](t, "", `{}`, asJSON)
		assert.Equal(t, []ginasync.FieldError{{Field: "author.name", In: "body", Detail: "is required"}}, got)
	})

	t.Run("in generic types", func(t *testing.T) {
		got := wrongFields[listOf[paging]](t, "", `{}`, asJSON)
		assert.Equal(t, []ginasync.FieldError{{Field: "items", In: "body", Detail: "is required"}}, got)
	})

	t.Run("whose types decode themselves, and all others", func(t *testing.T) {
		got := wrongFields[struct {
			paging
			Born  time.Time `json:"born"`
			Picky picky     `json:"picky"`
			Age   uint8     `json:"age"`
			Title string    `json:"title" binding:"required"`
			Later string    `json:"zlater" binding:"required"`
			Row   struct {
				At   time.Time `json:"at"`
				Name string    `json:"name" binding:"required"`
			} `json:"row"`
		}](t, "", `{"born":"soon","picky":{},"age":"x","row":{"at":"x","name":"a"},"zlater":"set"}`, asJSON)
		aTime := `must be a time like "2006-01-02T15:04:05Z07:00"`
		assert.ElementsMatch(t, []ginasync.FieldError{
			{Field: "born", In: "body", Detail: aTime},
			{Field: "picky", In: "body", Detail: "has a value that does not fit"},
			{Field: "age", In: "body", Detail: "must be a number (uint8), not string"},
			{Field: "row", In: "body", Detail: aTime},
			{Field: "title", In: "body", Detail: "is required"},
		}, got)
	})

	type base struct {
		Count int `json:"count"`
	}
	t.Run("of embedded structs without the name of the struct", func(t *testing.T) {
		got := wrongFields[struct{ base }](t, "", `{"count":"x"}`, asJSON)
		assert.Equal(t, []ginasync.FieldError{{Field: "count", In: "body", Detail: "must be a number (int), not string"}}, got)
	})

	t.Run("where they stand in a form or would have to", func(t *testing.T) {
		type request struct {
			N     int    `form:"n"`
			Size  int    `form:"size" binding:"max=5"`
			Title string `json:"headline" form:"title" binding:"required"`
			Other string `form:"other" binding:"required"`
		}
		got := wrongFields[request](t, "?size=7&n=5", "n=x", asForm)
		misfit := `has a value of the wrong type: strconv.ParseInt: parsing "x": invalid syntax`
		assert.ElementsMatch(t, []ginasync.FieldError{
			{Field: "n", In: "body", Detail: misfit},
			{Field: "size", In: "query", Detail: "must satisfy max=5"},
			{Field: "title", In: "body", Detail: "is required"},
			{Field: "other", In: "body", Detail: "is required"},
		}, got)
		got = wrongFields[request](t, "?size=7&n=x", `{}`, asJSON)
		assert.ElementsMatch(t, []ginasync.FieldError{
			{Field: "n", In: "query", Detail: misfit},
			{Field: "size", In: "query", Detail: "must satisfy max=5"},
			{Field: "headline", In: "body", Detail: "is required"},
			{Field: "other", In: "query", Detail: "is required"},
		}, got)
	})

	t.Run("but not those of a body that makes no sense", func(t *testing.T) {
		got := wrongFields[upload](t, "", "no boundary here", "multipart/form-data; boundary=b")
		assert.Len(t, got, 1)
		assert.Equal(t, "body", got[0].In)
		assert.Contains(t, got[0].Detail, "is not a form of its Content-Type")
	})
}
