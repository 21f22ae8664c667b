package ginasync_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type paging struct {
	Page int `form:"page,default=1" binding:"min=1"`
}

type reportRequest struct {
	paging
	Paging paging `json:"-"`
	Year   int    `uri:"year" binding:"required,min=1900"`
	Tenant string `header:"x-tenant"`
	Title  string `json:"title" binding:"required"`
	Rows   []int  `json:"rows"`
	Author struct {
		Name string `json:"name" binding:"required"`
	} `json:"author"`
}

func echo(_ context.Context, req reportRequest) (reportRequest, error) { return req, nil }

const goodReport = `{"title":"Sales","rows":[1,2],"author":{"name":"Ann"}}`

func TestAsyncFunc(t *testing.T) {
	typed := func(r *gin.Engine) { r.POST("/reports/:year", ginasync.AsyncFunc(echo)) }

	t.Run("binds path, query, header and body and answers JSON", func(t *testing.T) {
		got := make(chan reportRequest, 1)
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/reports/:year", ginasync.AsyncFunc(func(_ context.Context, req reportRequest) (map[string]int, error) {
				got <- req
				return map[string]int{"n": len(req.Rows)}, nil
			}))
		})
		res := a.run("/reports/2026?page=3", goodReport, "Content-Type", "application/json", "X-Tenant", "acme")
		assert.Equal(t, http.StatusOK, res.StatusCode)
		assert.JSONEq(t, `{"n":2}`, string(res.body))
		assert.Contains(t, res.Header.Get("Content-Type"), "application/json")
		req := <-got
		assert.Equal(t, 2026, req.Year)
		assert.Equal(t, 3, req.Page)
		assert.Equal(t, "acme", req.Tenant)
		assert.Equal(t, "Sales", req.Title)
		assert.Equal(t, []int{1, 2}, req.Rows)
		assert.Equal(t, "Ann", req.Author.Name)
	})

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
			{Field: "title", In: "body", Detail: "is required"},
			{Field: "author.name", In: "body", Detail: "is required"},
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

	t.Run("lets no body speak for the path, a header or the query", func(t *testing.T) {
		got := make(chan reportRequest, 1)
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/reports/:year", ginasync.AsyncFunc(func(_ context.Context, req reportRequest) (int, error) {
				got <- req
				return 0, nil
			}))
		})
		a.run("/reports/2026?Title=query", `{"title":"body","Year":1,"Tenant":"evil","author":{"name":"Ann"}}`, "Content-Type", "application/json")
		req := <-got
		assert.Equal(t, 2026, req.Year)
		assert.Empty(t, req.Tenant)
		assert.Equal(t, "body", req.Title)
	})

	t.Run("binds forms and uploaded files", func(t *testing.T) {
		type upload struct {
			Title string                  `form:"title" binding:"required"`
			File  *multipart.FileHeader   `form:"file"`
			More  []*multipart.FileHeader `form:"more"`
		}
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.AsyncFunc(func(_ context.Context, req upload) (string, error) {
				got := req.Title
				for _, file := range append(req.More, req.File) {
					if file == nil {
						continue
					}
					f, err := file.Open()
					if err != nil {
						return "", err
					}
					data, err := io.ReadAll(f)
					if err := errors.Join(err, f.Close()); err != nil {
						return "", err
					}
					got += " " + file.Filename + ":" + string(data)
				}
				return got, nil
			}))
		})
		form := a.run("/x?title=query", "title=form", "Content-Type", "application/x-www-form-urlencoded")
		assert.JSONEq(t, `"form"`, string(form.body))

		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		require.NoError(t, w.WriteField("title", "multi"))
		for _, name := range []string{"file", "more", "more"} {
			part, err := w.CreateFormFile(name, name+".txt")
			require.NoError(t, err)
			_, _ = part.Write([]byte("content"))
		}
		require.NoError(t, w.Close())
		files := a.run("/x", body.String(), "Content-Type", w.FormDataContentType())
		assert.JSONEq(t, `"multi more.txt:content more.txt:content file.txt:content"`, string(files.body))

		broken := a.post("/x", "no boundary here", "Content-Type", w.FormDataContentType())
		assert.Equal(t, http.StatusBadRequest, broken.StatusCode)
		missing := a.post("/x", "", "Content-Type", "application/x-www-form-urlencoded")
		assert.Equal(t, []ginasync.FieldError{{Field: "title", In: "query", Detail: "is required"}}, missing.problem(t).Errors)
	})

	t.Run("takes a list as body, and no body for struct{}", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/sum", ginasync.AsyncFunc(func(_ context.Context, rows []int) (int, error) { return len(rows), nil }))
			r.POST("/none", ginasync.AsyncFunc(func(context.Context, struct{}) (string, error) { return "ran", nil }))
		})
		assert.Equal(t, "3", string(a.run("/sum", "[1,2,3]", "Content-Type", "application/json").body))
		assert.Equal(t, http.StatusBadRequest, a.postJSON("/sum", `{"a":1}`).StatusCode)
		assert.JSONEq(t, `"ran"`, string(a.run("/none", "whatever", "Content-Type", "text/plain").body))
	})

	t.Run("shows neither the text of an error nor retries a permanent one", func(t *testing.T) {
		soon := ginasync.Retry(worker.Backoff{Initial: time.Millisecond, Max: time.Millisecond, Factor: 1})
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/plain", ginasync.AsyncFunc(func(context.Context, struct{}) (int, error) {
				return 0, errors.New("secret")
			}, soon, ginasync.MaxAttempts(2)))
			r.POST("/final", ginasync.AsyncFunc(func(context.Context, struct{}) (int, error) {
				return 0, ginasync.Permanent(errors.New("secret"))
			}, soon))
			r.POST("/own", ginasync.AsyncFunc(func(context.Context, struct{}) (int, error) {
				return 0, &ginasync.Problem{Title: "Out of stock", Status: http.StatusConflict, Detail: "none left"}
			}, soon))
			r.POST("/later", ginasync.AsyncFunc(func(context.Context, struct{}) (int, error) {
				return 0, ginasync.RetryAfter(errors.New("busy"), time.Hour)
			}))
		})
		id := a.submit("/plain", "")
		assert.Equal(t, 2, a.finish(id).Attempt)
		got := a.get("/jobs/" + id + "/result")
		assert.Equal(t, http.StatusInternalServerError, got.StatusCode)
		assert.NotContains(t, string(got.body), "secret")
		assert.Equal(t, 1, a.finish(a.submit("/final", "")).Attempt)
		own := a.run("/own", "")
		assert.Equal(t, http.StatusConflict, own.StatusCode)
		assert.Equal(t, "none left", own.problem(t).Detail)
		later := a.awaitState(a.submit("/later", ""), store.Scheduled)
		assert.InDelta(t, time.Hour, time.Until(later.DueAt), float64(time.Minute))
	})

	t.Run("refuses a Req that cannot be bound", func(t *testing.T) {
		r := gin.New()
		r.POST("/x", ginasync.AsyncFunc(func(context.Context, *reportRequest) (int, error) { return 0, nil }))
		jobs, err := ginasync.New(r)
		require.NoError(t, err)
		require.ErrorContains(t, jobs.Start(t.Context()), "Req must be a struct")
	})
}
