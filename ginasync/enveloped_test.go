package ginasync_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
)

func TestAResultInAnEnvelope(t *testing.T) {
	a := newApp(t, func(r *gin.Engine) {
		r.POST("/:status", ginasync.Async(func(c *gin.Context) {
			status, _ := strconv.Atoi(c.Param("status"))
			body, _ := c.GetRawData()
			if encoding := c.Query("encoding"); encoding != "" {
				c.Header("Content-Encoding", encoding)
			}
			c.Header("Location", "/elsewhere")
			c.Writer.Header().Add("X-Many", "1")
			c.Writer.Header().Add("X-Many", "<2>")
			c.Header("Set-Cookie", "session=secret")
			c.Data(status, c.Query("type"), body)
		}))
	}).notFollowing()
	for _, test := range []struct {
		name, path, body string
		want             string // what is after the headers
	}{
		{"JSON as it stands", "/201?type=application/json", `{"n":1.50, "n":12345678901234567890}` + "\n", `"body":{"n":1.50, "n":12345678901234567890}` + "\n"},
		{"JSON of another kind", "/404?type=application/problem%2Bjson%3Bcharset=UTF-8", `{"title":"x"}`, `"body":{"title":"x"}`},
		{"a JSON null", "/200?type=application/json", `null`, `"body":null`},
		{"invalid JSON as a string", "/200?type=application/json", `{"n":`, `"body":"{\"n\":"`},
		{"two JSON documents as a string", "/200?type=application/json", `{}{}`, `"body":"{}{}"`},
		{"text", "/200?type=text/csv", "a,\"ä\"\n", `"body":"a,\"ä\"\n"`},
		{"XML", "/200?type=image/svg%2Bxml", "x", `"body":"x"`},
		{"a form", "/200?type=application/x-www-form-urlencoded", "a=b", `"body":"a=b"`},
		{"text in another charset", "/200?type=text/plain%3Bcharset=latin1", "abc", `"body_base64":"YWJj"`},
		{"text that is no UTF-8", "/200?type=text/plain", "\xff", `"body_base64":"/w=="`},
		{"JSON that is no UTF-8", "/200?type=application/json", "\"\xff\"", `"body_base64":"Iv8i"`},
		{"JSON that is encoded", "/200?type=application/json&encoding=x", `{}`, `"body_base64":"e30="`},
		{"bytes", "/200?type=image/png", "abc", `"body_base64":"YWJj"`},
		{"an unknown type", "/200?type=%3B", "abc", `"body_base64":"YWJj"`},
		{"an empty body", "/401?type=text/plain", "", ``},
		{"no body", "/204?type=text/plain", "", ``},
		{"a redirect", "/303?type=text/plain", "", ``},
	} {
		t.Run("has "+test.name, func(t *testing.T) {
			id := a.submit(test.path, test.body)
			a.finish(id)
			got := a.get("/jobs/"+id+"/result?envelope=1", "Range", "bytes=0-1")
			assert.Equal(t, http.StatusOK, got.StatusCode)
			assert.Equal(t, []string{test.path[1:4]}, got.Header["Asyncresult"])
			assert.Equal(t, "application/json; charset=utf-8", got.Header.Get("Content-Type"))
			assert.Equal(t, "private, no-store", got.Header.Get("Cache-Control"))
			assert.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
			assert.NotContains(t, got.Header, "Location", "no header is the handler's")
			assert.NotContains(t, got.Header, "Content-Encoding")
			assert.NotContains(t, got.Header, "Accept-Ranges")
			before, after, found := strings.Cut(string(got.body), `,"location":"/elsewhere","x-many":"1, \u003c2\u003e"}`)
			assert.True(t, found, "%s", got.body)
			assert.True(t, strings.HasPrefix(before, `{"status":`+test.path[1:4]+`,"headers":{`), before)
			assert.Equal(t, test.want, strings.TrimPrefix(strings.TrimSuffix(after, "}"), ","))
			assert.NotContains(t, string(got.body), "secret")

			head := a.do(http.MethodHead, "/jobs/"+id+"/result?envelope=true", nil)
			assert.EqualValues(t, len(got.body), head.ContentLength)
			for _, query := range []string{"", "?envelope=0", "?envelope=", "?envelope=x"} {
				raw := a.get("/jobs/" + id + "/result" + query)
				assert.Equal(t, test.path[1:4], strconv.Itoa(raw.StatusCode))
				assert.Equal(t, test.body, string(raw.body))
			}
		})
	}

	t.Run("is not made of an error of the library", func(t *testing.T) {
		got := a.get("/jobs/nonsense/result?envelope=1")
		assert.Equal(t, http.StatusNotFound, got.StatusCode)
		assert.Contains(t, got.problem(t).Type, "#job-not-found")
		assert.NotContains(t, got.Header, "Asyncresult")
	})

	t.Run("has the problem of a job without an answer, as the application writes it", func(t *testing.T) {
		panics := func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(*gin.Context) { panic("") }, ginasync.MaxAttempts(1)))
		}
		a := newApp(t, panics)
		id := a.submit("/x", "")
		a.finish(id)
		got := a.get("/jobs/" + id + "/result?envelope=1")
		assert.Equal(t, http.StatusOK, got.StatusCode)
		assert.Equal(t, "500", got.Header.Get("AsyncResult"))
		raw := a.get("/jobs/" + id + "/result")
		assert.Equal(t, `{"status":500,"headers":{"content-type":"application/problem+json"},"body":`+string(raw.body)+`}`, string(got.body))
		assert.EqualValues(t, len(got.body), a.do(http.MethodHead, "/jobs/"+id+"/result?envelope=1", nil).ContentLength)

		a = newApp(t, func(r *gin.Engine) {
			r.Use(func(c *gin.Context) { c.Set("greeting", "sorry") })
			panics(r)
		}, ginasync.WithErrorResponse(func(c *gin.Context, p ginasync.Problem) {
			c.String(p.Status, "%s, %s", c.MustGet("greeting"), c.Param("id"))
		}))
		id = a.submit("/x", "")
		a.finish(id)
		assert.Equal(t, `{"status":500,"headers":{"content-type":"text/plain; charset=utf-8"},"body":"sorry, `+id+`"}`,
			string(a.get("/jobs/"+id+"/result?envelope=1").body))
	})
}
