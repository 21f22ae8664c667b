package ginasync_test

import (
	"net/http"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// digits answers 200 with ten bytes and the headers.
func digits(header ...string) gin.HandlerFunc {
	return func(c *gin.Context) {
		for i := 0; i < len(header); i += 2 {
			c.Header(header[i], header[i+1])
		}
		c.Data(http.StatusOK, "application/x-digits", []byte("0123456789"))
	}
}

func TestAPartOfAResult(t *testing.T) {
	const modified = "Thu, 01 Jan 2026 00:00:00 GMT"
	a := newApp(t, func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(digits("ETag", `"v1"`, "Last-Modified", modified, "Link", "</up>; rel=up")))
		r.POST("/weak", ginasync.Async(digits("ETag", `W/"v1"`)))
		r.POST("/says-none", ginasync.Async(digits("Accept-Ranges", "none")))
		r.POST("/says-bytes", ginasync.Async(digits("Accept-Ranges", "bytes")))
		r.POST("/own-part", ginasync.Async(digits("Content-Range", "bytes 0-9/100")))
		r.POST("/created", ginasync.Async(func(c *gin.Context) { c.String(http.StatusCreated, "0123456789") }))
		r.POST("/empty", ginasync.Async(func(c *gin.Context) { c.Status(http.StatusOK) }))
		r.POST("/failed", ginasync.Async(func(c *gin.Context) { c.String(http.StatusConflict, "0123456789") }))
		r.GET("/inline", ginasync.Async(digits(), ginasync.OnPrefer()))
	})
	results := make(map[string]string)
	resultOf := func(t *testing.T, path string) string {
		t.Helper()
		if results[path] == "" {
			id := a.submit(path, "")
			a.finish(id)
			results[path] = "/jobs/" + id + "/result"
		}
		return results[path]
	}

	for _, test := range []struct{ asked, part, contentRange string }{
		{"bytes=0-3", "0123", "bytes 0-3/10"},
		{"bytes=4-", "456789", "bytes 4-9/10"},
		{"bytes=-3", "789", "bytes 7-9/10"},
		{"bytes=-30", "0123456789", "bytes 0-9/10"},
		{"bytes=8-800", "89", "bytes 8-9/10"},
		{"bytes=9-99999999999999999999", "9", "bytes 9-9/10"},
		{"Bytes= 1-1 ,", "1", "bytes 1-1/10"},
	} {
		t.Run("for "+test.asked+" is a 206", func(t *testing.T) {
			got := a.get(resultOf(t, "/x"), "Range", test.asked)
			assert.Equal(t, http.StatusPartialContent, got.StatusCode)
			assert.Equal(t, test.part, string(got.body))
			assert.EqualValues(t, len(test.part), got.ContentLength)
			assert.Equal(t, test.contentRange, got.Header.Get("Content-Range"))
			assert.Equal(t, "200", got.Header.Get("AsyncResult"), "the handler's status")
			assert.Equal(t, "application/x-digits", got.Header.Get("Content-Type"))
			assert.Equal(t, `"v1"`, got.Header.Get("ETag"))
			assert.Equal(t, "private, no-store", got.Header.Get("Cache-Control"))
			assert.Equal(t, []string{"</up>; rel=up"}, got.Header["Link"])
		})
	}

	for _, asked := range []string{"bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99999999999999999999-"} {
		t.Run("for "+asked+" is a 416", func(t *testing.T) {
			got := a.get(resultOf(t, "/x"), "Range", asked)
			assert.Equal(t, http.StatusRequestedRangeNotSatisfiable, got.StatusCode)
			assert.Contains(t, got.problem(t).Type, "#range-not-satisfiable")
			assert.Equal(t, "bytes */10", got.Header.Get("Content-Range"))
			assert.NotContains(t, got.Header, "Asyncresult", "these are not the handler's words")
			assert.NotContains(t, got.Header, "Etag")
		})
	}

	whole := func(t *testing.T, path string, header ...string) answer {
		t.Helper()
		got := a.get(resultOf(t, path), header...)
		assert.Equal(t, "0123456789", string(got.body))
		assert.NotEqual(t, http.StatusPartialContent, got.StatusCode)
		return got
	}
	for _, asked := range []string{"", "bytes=0-1,4-5", "items=0-3", "bytes", "bytes=", "bytes=x-1", "bytes=3-2", "bytes=1", "bytes=0-1;x", "bytes=+1-2"} {
		t.Run("is the whole for "+asked, func(t *testing.T) {
			got := whole(t, "/x", "Range", asked)
			assert.Equal(t, http.StatusOK, got.StatusCode)
			assert.Equal(t, "bytes", got.Header.Get("Accept-Ranges"))
			assert.NotContains(t, got.Header, "Content-Range")
		})
	}
	t.Run("is the whole for two headers", func(t *testing.T) {
		whole(t, "/x", "Range", "bytes=0-1", "Range", "bytes=0-2")
	})

	t.Run("needs the validator of If-Range", func(t *testing.T) {
		for condition, status := range map[string]int{
			`"v1"`: 206, modified: 206, `"v2"`: 200, `W/"v1"`: 200, "Thu, 01 Jan 2026 00:00:01 GMT": 200, "nonsense": 200, `""`: 200,
		} {
			got := a.get(resultOf(t, "/x"), "Range", "bytes=0-3", "If-Range", condition)
			assert.Equal(t, status, got.StatusCode, condition)
		}
		whole(t, "/weak", "Range", "bytes=0-3", "If-Range", `W/"v1"`)
		whole(t, "/says-bytes", "Range", "bytes=0-3", "If-Range", modified)
	})

	t.Run("is only of a 200 whose handler had no say in it", func(t *testing.T) {
		for _, path := range []string{"/says-none", "/own-part", "/created", "/failed"} {
			got := whole(t, path, "Range", "bytes=0-3")
			assert.NotEqual(t, "bytes", got.Header.Get("Accept-Ranges"), path)
		}
		assert.Equal(t, http.StatusPartialContent, a.get(resultOf(t, "/says-bytes"), "Range", "bytes=0-3").StatusCode)
		assert.Equal(t, http.StatusOK, a.get(resultOf(t, "/empty"), "Range", "bytes=0-3").StatusCode)
	})

	t.Run("is not for HEAD, which says that there are parts", func(t *testing.T) {
		got := a.do(http.MethodHead, resultOf(t, "/x"), nil, "Range", "bytes=0-3")
		assert.Equal(t, http.StatusOK, got.StatusCode)
		assert.EqualValues(t, 10, got.ContentLength)
		assert.Equal(t, "bytes", got.Header.Get("Accept-Ranges"))
		assert.NotContains(t, got.Header, "Content-Range")
	})

	t.Run("is not for a submission that waits", func(t *testing.T) {
		got := a.get("/inline", "Range", "bytes=0-3")
		require.Equal(t, http.StatusOK, got.StatusCode)
		assert.Equal(t, "0123456789", string(got.body))
	})

	t.Run("is no part of an error of the library", func(t *testing.T) {
		got := a.get("/jobs/nonsense/result", "Range", "bytes=0-3")
		assert.Equal(t, http.StatusNotFound, got.StatusCode)
		assert.NotContains(t, got.Header, "Accept-Ranges")
	})
}
