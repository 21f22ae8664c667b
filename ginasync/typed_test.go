package ginasync_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
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

func TestAsyncFuncBinds(t *testing.T) {
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

	t.Run("takes a list as body, and no body for struct{}", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/sum", ginasync.AsyncFunc(func(_ context.Context, rows []int) (int, error) { return len(rows), nil }))
			r.POST("/none", ginasync.AsyncFunc(func(context.Context, struct{}) (string, error) { return "ran", nil }))
		})
		assert.Equal(t, "3", string(a.run("/sum", "[1,2,3]", "Content-Type", "application/json").body))
		assert.Equal(t, http.StatusBadRequest, a.postJSON("/sum", `{"a":1}`).StatusCode)
		assert.JSONEq(t, `"ran"`, string(a.run("/none", "whatever", "Content-Type", "text/plain").body))
	})

	t.Run("keeps what a field without the tag got from the body", func(t *testing.T) {
		type request struct {
			Sent string `header:"Date"`
			Date int    `json:"date"`
			Page int    `form:"page,default=7" json:"page"`
			Size int    `form:"size,default=9"`
		}
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.AsyncFunc(func(_ context.Context, req request) (map[string]any, error) {
				return map[string]any{"sent": req.Sent, "date": req.Date, "page": req.Page, "size": req.Size}, nil
			}))
		})
		got := a.run("/x?size=", `{"date":5,"page":2}`, "Content-Type", "application/json", "Date", "today")
		assert.JSONEq(t, `{"sent":"today","date":5,"page":2,"size":9}`, string(got.body))
		got = a.run("/x?page=3&Date=4", `{}`, "Content-Type", "application/json")
		assert.JSONEq(t, `{"sent":"","date":0,"page":3,"size":9}`, string(got.body))
	})

	t.Run("passes over embedded types that are not exported", func(t *testing.T) {
		type hidden string
		type request struct {
			hidden
			Title string `json:"title"`
			note  string
		}
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.AsyncFunc(func(_ context.Context, req request) (string, error) {
				return req.Title + string(req.hidden) + req.note, nil
			}))
		})
		got := a.run("/x?hidden=q&note=q", `{"title":"a","hidden":"b","note":"c"}`, "Content-Type", "application/json")
		assert.JSONEq(t, `"a"`, string(got.body))
	})
}

// upload is a form with files.
type upload struct {
	Title string                  `form:"title" binding:"required"`
	File  *multipart.FileHeader   `form:"file"`
	More  []*multipart.FileHeader `form:"more"`
}

// contents answers with the title, and name and content of every file.
func contents(_ context.Context, req upload) (string, error) {
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
}

// multipartBody is a form with texts (name, value in turn) and files of those names.
func multipartBody(t *testing.T, content string, texts []string, files ...string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(texts); i += 2 {
		require.NoError(t, w.WriteField(texts[i], texts[i+1]))
	}
	for _, name := range files {
		part, err := w.CreateFormFile(name, name+".txt")
		require.NoError(t, err)
		_, err = io.WriteString(part, content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.String(), w.FormDataContentType()
}

func TestAsyncFuncForms(t *testing.T) {
	a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.AsyncFunc(contents)) })

	t.Run("binds the fields of a form before those of the query", func(t *testing.T) {
		got := a.run("/x?title=query", "title=form", "Content-Type", "application/x-www-form-urlencoded")
		assert.JSONEq(t, `"form"`, string(got.body))
	})

	t.Run("binds uploaded files", func(t *testing.T) {
		body, contentType := multipartBody(t, "content", []string{"title", "multi"}, "file", "more", "more")
		got := a.run("/x", body, "Content-Type", contentType)
		assert.JSONEq(t, `"multi more.txt:content more.txt:content file.txt:content"`, string(got.body))
	})

	t.Run("binds files larger than it keeps in memory and leaves none behind", func(t *testing.T) {
		t.Setenv("TMPDIR", t.TempDir())
		large := strings.Repeat("x", 2<<20)
		body, contentType := multipartBody(t, large, []string{"title", "large"}, "file")
		got := a.run("/x", body, "Content-Type", contentType)
		assert.Equal(t, `"large file.txt:`+large+`"`, string(got.body))
		left, err := os.ReadDir(os.TempDir())
		require.NoError(t, err)
		assert.Empty(t, left)
	})

	t.Run("takes no text for a file", func(t *testing.T) {
		type request struct {
			File *multipart.FileHeader `form:"file" binding:"required"`
		}
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.AsyncFunc(func(context.Context, request) (int, error) { return 0, nil }))
		})
		body, contentType := multipartBody(t, "", []string{"file", "text"})
		got := a.post("/x", body, "Content-Type", contentType)
		assert.Equal(t, http.StatusBadRequest, got.StatusCode)
		assert.Equal(t, []ginasync.FieldError{{Field: "file", In: "body", Detail: "is required"}}, got.problem(t).Errors)
		assertNoJobs(t, a)
	})
}

func TestAsyncFuncAnswersErrors(t *testing.T) {
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

	t.Run("fails a job whose response JSON cannot hold", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/nan", ginasync.AsyncFunc(func(context.Context, struct{}) (float64, error) { return math.NaN(), nil }))
			r.POST("/chan", ginasync.AsyncFunc(func(context.Context, struct{}) (any, error) { return make(chan int), nil }))
		})
		for _, path := range []string{"/nan", "/chan"} {
			job := a.finish(a.submit(path, ""))
			assert.Equal(t, store.Failed, job.State, path)
			assert.Equal(t, 1, job.Attempt, path)
			got := a.get("/jobs/" + job.ID + "/result")
			assert.Equal(t, http.StatusInternalServerError, got.StatusCode, path)
			assert.NotEmpty(t, got.problem(t).Detail, path)
		}
	})

	t.Run("takes a nil Problem for an error like any other", func(t *testing.T) {
		var none *ginasync.Problem
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/plain", ginasync.AsyncFunc(func(context.Context, struct{}) (int, error) {
				return 0, none
			}, ginasync.MaxAttempts(1)))
			r.POST("/final", ginasync.AsyncFunc(func(context.Context, struct{}) (int, error) {
				return 0, ginasync.Permanent(errors.Join(none))
			}))
		})
		for _, path := range []string{"/plain", "/final"} {
			job := a.finish(a.submit(path, ""))
			assert.Equal(t, 1, job.Attempt, path)
			got := a.get("/jobs/" + job.ID + "/result")
			assert.Contains(t, got.problem(t).Detail, "the handler returned an error", path)
		}
	})
}

func TestAsyncFuncRefusesAtStart(t *testing.T) {
	t.Run("refuses a Req that cannot be bound", func(t *testing.T) {
		r := gin.New()
		r.POST("/x", ginasync.AsyncFunc(func(context.Context, *reportRequest) (int, error) { return 0, nil }))
		jobs, err := ginasync.New(r)
		require.NoError(t, err)
		require.ErrorContains(t, jobs.Start(t.Context()), "Req must be a struct")
	})
}
