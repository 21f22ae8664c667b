package ginasync_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// notFollowing makes a show redirects instead of following them.
func (a *app) notFollowing() *app {
	a.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return a
}

// The answers of handlers that are easily taken for the library's own.
func TestAResultIsMarkedWhateverItsStatus(t *testing.T) {
	a := newApp(t, func(r *gin.Engine) {
		r.POST("/:status", ginasync.Async(func(c *gin.Context) {
			status, _ := strconv.Atoi(c.Param("status"))
			c.Header("Location", "/elsewhere")
			c.Header("Retry-After", "7")
			c.Header("WWW-Authenticate", `Basic realm="reports"`)
			c.Data(status, "application/problem+json", []byte(`{"title":"own words"}`))
		}))
	}).notFollowing()
	for _, status := range []int{200, 202, 303, 304, 401, 404, 409, 410, 416} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			id := a.submit("/"+strconv.Itoa(status), "")
			a.finish(id)
			got := a.get("/jobs/" + id + "/result")
			assert.Equal(t, status, got.StatusCode)
			assert.Equal(t, []string{strconv.Itoa(status)}, got.Header["Asyncresult"])
			assert.Equal(t, "/elsewhere", got.Header.Get("Location"))
			assert.Equal(t, "7", got.Header.Get("Retry-After"))
			assert.Equal(t, `Basic realm="reports"`, got.Header.Get("WWW-Authenticate"))
			if status != http.StatusNotModified {
				assert.JSONEq(t, `{"title":"own words"}`, string(got.body))
			}
		})
	}
	t.Run("and the library's own errors are not", func(t *testing.T) {
		unknown := a.get("/jobs/nonsense/result")
		assert.Equal(t, http.StatusNotFound, unknown.StatusCode)
		assert.NotContains(t, unknown.Header, "Asyncresult")
	})
}

func TestRelativeReferencesOfAResultLeadWhereTheyLed(t *testing.T) {
	handler := func(c *gin.Context) {
		c.Request.URL.Path, c.Request.RequestURI = "/tampered", "/tampered"
		c.Header("Location", "991")
		c.Header("Content-Location", "../status?of=991")
		c.Writer.Header().Add("Link", `<991/pages>; rel="section"; title="a, <b>"`)
		c.Writer.Header().Add("Link", `<https://other.example/x>; rel=up, </top>; rel=top, <#part>; rel=part`)
		c.Status(http.StatusCreated)
	}
	for _, test := range []struct {
		name, prefix string
		opts         []ginasync.Option
	}{
		{"without options", "", nil},
		{"with a base path", "/api", []ginasync.Option{ginasync.WithBaseURL("/api")}},
		{"with a base URL", "https://api.example.com/eu", []ginasync.Option{ginasync.WithBaseURL("https://api.example.com/eu")}},
		{"with a function", "https://cdn.example", []ginasync.Option{ginasync.WithURL(func(c *gin.Context, path string) string {
			return c.MustGet("root").(string) + path // which only the live request has
		})}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newApp(t, func(r *gin.Engine) {
				r.Use(func(c *gin.Context) { c.Set("root", "https://cdn.example") })
				r.POST("/v1/reports/:kind", ginasync.Async(handler))
			}, test.opts...)
			got := a.run("/v1/reports/annual?year=2026", "")
			assert.Equal(t, test.prefix+"/v1/reports/991", got.Header.Get("Location"))
			assert.Equal(t, test.prefix+"/v1/status?of=991", got.Header.Get("Content-Location"))
			assert.Equal(t, []string{
				`<` + test.prefix + `/v1/reports/991/pages>; rel="section"; title="a, <b>"`,
				`<https://other.example/x>; rel=up, </top>; rel=top, <#part>; rel=part`,
			}, got.Header["Link"])
			inline := a.post("/v1/reports/annual", "", "Prefer", "wait=10")
			assert.Equal(t, test.prefix+"/v1/reports/991", inline.Header.Get("Location"))
		})
	}
}

func TestAResultHasNoHeaderOfTheMomentItWasMade(t *testing.T) {
	a := newApp(t, func(r *gin.Engine) {
		r.Use(func(c *gin.Context) { // as CORS middleware does
			c.Header("Access-Control-Allow-Origin", c.GetHeader("Origin"))
			c.Writer.Header().Add("Vary", "Origin")
		})
		r.POST("/x", ginasync.Async(func(c *gin.Context) {
			for name, value := range map[string]string{
				"Set-Cookie": "session=secret", "Access-Control-Allow-Origin": "https://first.example", "Access-Control-Allow-Credentials": "true",
				"Connection": "X-Hop", "X-Hop": "1", "Keep-Alive": "timeout=5", "Proxy-Authenticate": "Basic", "Te": "trailers",
				"Upgrade": "h3", "Trailer": "X-Sum", "Cache-Control": "public, max-age=60", "CDN-Cache-Control": "max-age=60",
				"Expires": "Fri, 01 Jan 2100 00:00:00 GMT", "Pragma": "x", "Age": "7", "Date": "then",
				"ETag": `"abc"`, "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "Vary": "accept-language, ORIGIN",
			} {
				c.Header(name, value)
			}
			c.String(http.StatusOK, "done")
		}))
	})
	id := a.submit("/x", "")
	a.finish(id)
	for name, header := range map[string][]string{
		"at once":                    nil,
		"if it was another":          {"If-None-Match", `"abc"`},
		"if it was changed":          {"If-Modified-Since", "Fri, 01 Jan 2027 00:00:00 GMT"},
		"if it is another, to write": {"If-Match", `"other"`},
	} {
		t.Run(name, func(t *testing.T) {
			got := a.get("/jobs/"+id+"/result", append(header, "Origin", "https://second.example")...)
			assert.Equal(t, http.StatusOK, got.StatusCode, "no condition applies to a result")
			for _, gone := range []string{
				"Set-Cookie", "Access-Control-Allow-Credentials", "Connection", "X-Hop", "Keep-Alive", "Proxy-Authenticate", "Te",
				"Upgrade", "Trailer", "Cdn-Cache-Control", "Expires", "Pragma", "Age",
			} {
				assert.NotContains(t, got.Header, gone)
			}
			assert.Equal(t, "https://second.example", got.Header.Get("Access-Control-Allow-Origin"), "the live one")
			assert.Equal(t, "private, no-store", got.Header.Get("Cache-Control"))
			assert.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
			assert.NotEqual(t, "then", got.Header.Get("Date"))
			assert.Equal(t, `"abc"`, got.Header.Get("ETag"))
			assert.NotEmpty(t, got.Header.Get("Last-Modified"))
			assert.Equal(t, []string{"Origin", "Prefer", "accept-language"}, got.Header["Vary"], "each name once")
		})
	}
}

// zipping encodes answers for clients that take it, as middleware for it does.
func zipping(c *gin.Context) {
	if !strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		return
	}
	c.Header("Content-Encoding", "gzip")
	c.Writer.Header().Add("Vary", "Accept-Encoding")
	w := &zippingWriter{c.Writer, gzip.NewWriter(c.Writer)}
	c.Writer = w
	defer func() { _ = w.zip.Close() }()
	c.Next()
}

type zippingWriter struct {
	gin.ResponseWriter
	zip *gzip.Writer
}

func (w *zippingWriter) Write(p []byte) (int, error) {
	w.Header().Del("Content-Length")
	return w.zip.Write(p)
}

func (w *zippingWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

func unzip(t *testing.T, data []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(plain)
}

func TestAResultIsStoredWithoutTheEncodingThatOneClientTakes(t *testing.T) {
	for name, routes := range map[string]func(r *gin.Engine){
		"when the middleware is outside":      func(r *gin.Engine) { r.Use(zipping); r.POST("/x", ginasync.Async(text("plain words"))) },
		"when the middleware is in the route": func(r *gin.Engine) { r.POST("/x", zipping, ginasync.Async(text("plain words"))) },
		"when the middleware is in the worker": func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(text("plain words"), ginasync.Middleware(zipping)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, routes)
			accepted := a.post("/x", "", "Accept-Encoding", "gzip")
			id := strings.TrimPrefix(accepted.Header.Get("Location"), "/jobs/")
			a.finish(id)
			_, data, err := a.store.Result(t.Context(), id)
			require.NoError(t, err)
			assert.Contains(t, string(data), "\r\n\r\nplain words")
			assert.NotContains(t, string(data), "Content-Encoding")

			got := a.get("/jobs/"+id+"/result", "Accept-Encoding", "identity")
			assert.Equal(t, "plain words", string(got.body))
			got = a.get("/jobs/"+id+"/result", "Accept-Encoding", "gzip")
			if got.Header.Get("Content-Encoding") != "" {
				got.body = []byte(unzip(t, got.body))
			}
			assert.Equal(t, "plain words", string(got.body), "the live middleware encodes it for those who take it")
		})
	}

	t.Run("but with the one that the handler always uses", func(t *testing.T) {
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		_, err := w.Write([]byte("plain words"))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				c.Header("Content-Encoding", "gzip")
				c.Data(http.StatusOK, "text/plain", zipped.Bytes())
			}))
		})
		id := a.submit("/x", "", "Accept-Encoding", "identity")
		a.finish(id)
		got := a.get("/jobs/"+id+"/result", "Accept-Encoding", "identity")
		assert.Equal(t, "gzip", got.Header.Get("Content-Encoding"))
		assert.Equal(t, zipped.Bytes(), got.body)
	})
}
