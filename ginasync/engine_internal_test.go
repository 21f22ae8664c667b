package ginasync

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gin-gonic/gin/binding"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runStored replays a request to "POST /" that never was live.
func runStored(ctx context.Context, t *testing.T, limit int64, handlers ...gin.HandlerFunc) recorded {
	t.Helper()
	replay := newReplayEngine(gin.New())
	replay.add(http.MethodPost, "/", handlers...)
	return replay.run(ctx, http.MethodPost, "/", storedRequest(t, rawRequest("POST /", "")), limit, nil)
}

func storedRequest(t *testing.T, raw string) *stored {
	t.Helper()
	s, err := decodeSnapshot([]byte(raw), []byte("client_ip=192.0.2.1&remote_addr=192.0.2.1:99"))
	require.NoError(t, err)
	return s
}

func namedHandler(c *gin.Context) {
	c.String(http.StatusOK, "%s %v", c.HandlerName(), c.Handler() != nil)
}

func TestAReplayedContextIsAsTheLiveOne(t *testing.T) {
	for name, test := range map[string]struct {
		route twin
		shows string
	}{
		"FullPath":    {handle(func(c *gin.Context) { c.String(200, c.FullPath()) }), "/u/:id"},
		"HandlerName": {handle(namedHandler), "namedHandler true"},
		"Next runs what comes after around": {handle(func(c *gin.Context) {
			_, _ = c.Writer.WriteString("before ")
			c.Next()
			_, _ = c.Writer.WriteString(" after")
		}, func(c *gin.Context) { _, _ = c.Writer.WriteString("handler") }), "before handler after"},
		"Abort keeps the rest from running": {handle(func(c *gin.Context) {
			c.Abort()
			c.JSON(http.StatusForbidden, gin.H{"aborted": c.IsAborted()})
		}, func(c *gin.Context) { c.String(200, "never") }), `{"aborted":true}`},
		"Set and Get between handlers": {handle(func(c *gin.Context) { c.Set("user", 7) }, func(c *gin.Context) {
			c.String(200, "%d %v", c.GetInt("user"), c.Value("user"))
		}), "7 7"},
		"Errors": {handle(func(c *gin.Context) {
			_ = c.Error(errors.New("first"))
			c.String(500, "%d %v", len(c.Errors), c.Errors.Last())
		}), "1 first"},
		"Param and Query": {handle(func(c *gin.Context) {
			c.String(200, "%s %v %v %s", c.Param("id"), c.QueryArray("a"), c.QueryMap("m"), c.DefaultQuery("no", "none"))
		}), "7 [1 2] map[x:y] none"},
		"Copy": {handle(func(c *gin.Context) {
			c.Set("k", "v")
			cp := c.Copy()
			c.String(200, "%s %s %s %s", cp.FullPath(), cp.Param("id"), cp.GetString("k"), cp.Request.URL)
		}), "/u/:id 7 v /u/7?a=1"},
		"AddParam": {handle(func(c *gin.Context) {
			c.AddParam("more", "8")
			c.String(200, "%s %s", c.Param("id"), c.Param("more"))
		}), "7 8"},
		"a request replaced by a handler": {handle(func(c *gin.Context) {
			c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), routeKey{}, "set"))
		}, func(c *gin.Context) { c.String(200, "%v", c.Request.Context().Value(routeKey{})) }), "set"},
		"Cookie": {handle(func(c *gin.Context) {
			value, err := c.Cookie("session")
			c.String(200, "%s %v", value, err)
		}), "abc <nil>"},
		"SecureJSON with the engine's prefix": {twin{
			settings: func(e *gin.Engine) { e.SecureJsonPrefix("for(;;);") },
			handlers: []gin.HandlerFunc{func(c *gin.Context) { c.SecureJSON(200, []int{1}) }},
		}, "for(;;);[1]"},
		"HTML templates": {twin{
			settings: func(e *gin.Engine) {
				e.SetFuncMap(template.FuncMap{"up": strings.ToUpper})
				e.SetHTMLTemplate(template.Must(template.New("page").Funcs(e.FuncMap).Parse("<h1>{{up .}}</h1>")))
			},
			handlers: []gin.HandlerFunc{func(c *gin.Context) { c.HTML(200, "page", "a&b") }},
		}, "<h1>A&amp;B</h1>"},
		"the client address behind a trusted proxy": {twin{
			settings: func(e *gin.Engine) { _ = e.SetTrustedProxies([]string{"127.0.0.1"}) },
			handlers: []gin.HandlerFunc{func(c *gin.Context) { c.String(200, c.ClientIP()) }},
		}, "203.0.113.7"},
		"the client address with a forged header": {twin{
			settings: func(e *gin.Engine) { _ = e.SetTrustedProxies(nil) },
			handlers: []gin.HandlerFunc{func(c *gin.Context) { c.String(200, c.ClientIP()) }},
		}, "127.0.0.1"},
		"the client address of a trusted platform": {twin{
			settings: func(e *gin.Engine) { e.TrustedPlatform = "X-Real-Client" },
			handlers: []gin.HandlerFunc{func(c *gin.Context) { c.String(200, c.ClientIP()) }},
		}, "2001:db8::1"},
	} {
		t.Run(name, func(t *testing.T) {
			test.route.path = "/u/:id"
			got := test.route.same(t, rawRequest("POST /u/7?a=1&a=2&m[x]=y", "",
				"Cookie: session=abc", "X-Forwarded-For: 203.0.113.7", "X-Real-Client: 2001:db8::1"))
			require.Contains(t, got.body, test.shows)
		})
	}
}

func TestEveryBindingWorksInTheReplay(t *testing.T) {
	type item struct {
		Name string  `json:"name" xml:"name" yaml:"name" form:"name" header:"X-Name" uri:"name" binding:"required"`
		Size float64 `json:"size" xml:"size" yaml:"size" form:"size" header:"X-Size" uri:"size"`
	}
	bind := func(f func(*gin.Context, any) error) gin.HandlerFunc {
		return func(c *gin.Context) {
			var it item
			err := f(c, &it)
			c.JSON(200, gin.H{"item": it, "error": fmt.Sprint(err)})
		}
	}
	by := func(b binding.Binding) gin.HandlerFunc {
		return bind(func(c *gin.Context, to any) error { return c.ShouldBindWith(to, b) })
	}
	for name, test := range map[string]struct {
		bind            gin.HandlerFunc
		target, content string
		kind            string
	}{
		"JSON":       {bind: by(binding.JSON), content: `{"name":"a","size":2}`},
		"XML":        {bind: by(binding.XML), content: `<item><name>a</name><size>2</size></item>`},
		"YAML":       {bind: by(binding.YAML), content: "name: a\nsize: 2\n"},
		"form":       {bind: by(binding.FormPost), content: "name=a&size=2", kind: gin.MIMEPOSTForm},
		"by content": {bind: bind((*gin.Context).ShouldBind), content: "name=a&size=2", kind: gin.MIMEPOSTForm},
		"query":      {bind: bind((*gin.Context).ShouldBindQuery), target: "/i/x/1?name=a&size=2"},
		"header":     {bind: bind((*gin.Context).ShouldBindHeader)},
		"path":       {bind: bind((*gin.Context).ShouldBindUri)},
		"a mistake":  {bind: by(binding.JSON), content: `{"size":2}`},
		"no content": {bind: by(binding.JSON)},
		"a body twice": {content: `{"name":"a"}`, bind: bind(func(c *gin.Context, to any) error {
			return errors.Join(c.ShouldBindBodyWithXML(new(item)), c.ShouldBindBodyWithJSON(to))
		})},
	} {
		t.Run(name, func(t *testing.T) {
			if test.target == "" {
				test.target = "/i/a/2"
			}
			route := twin{path: "/i/:name/:size", handlers: []gin.HandlerFunc{test.bind}}
			got := route.same(t, rawRequest("POST "+test.target, test.content,
				"Content-Type: "+test.kind, "X-Name: a", "X-Size: 2"))
			if name == "a mistake" || name == "no content" {
				require.NotContains(t, got.body, `"error":"\u003cnil\u003e"`)
				return
			}
			require.Contains(t, got.body, `"name":"a"`)
		})
	}
}

// upload is a multipart request with one field and one file.
func upload(t *testing.T, size int) string {
	t.Helper()
	var body strings.Builder
	form := multipart.NewWriter(&body)
	require.NoError(t, form.WriteField("note", "hello"))
	file, err := form.CreateFormFile("file", "photo.png")
	require.NoError(t, err)
	_, err = file.Write([]byte(strings.Repeat("x", size)))
	require.NoError(t, err)
	require.NoError(t, form.Close())
	return rawRequest("POST /", body.String(), "Content-Type: "+form.FormDataContentType())
}

func TestUploadsReachTheReplayedHandlerAndLeaveNoFiles(t *testing.T) {
	count := func(c *gin.Context) {
		file, err := c.FormFile("file")
		if err != nil {
			c.String(http.StatusBadRequest, err.Error())
			return
		}
		saved := filepath.Join(os.Getenv("SAVE"), c.PostForm("note"))
		if err := c.SaveUploadedFile(file, saved); err != nil {
			_ = c.Error(err)
		}
		info, _ := os.Stat(saved)
		c.String(http.StatusOK, "%s %s %d", c.PostForm("note"), file.Filename, info.Size())
	}
	onACopy := func(c *gin.Context) { c.Request = c.Request.WithContext(c.Request.Context()) }
	small := func(e *gin.Engine) { e.MaxMultipartMemory = 1 << 10 }

	for name, test := range map[string]struct {
		route twin
		size  int
	}{
		"small":                        {handle(count), 10},
		"larger than the memory limit": {twin{settings: small, handlers: []gin.HandlerFunc{count}}, 6 << 20},
		"read by a copied request":     {twin{settings: small, handlers: []gin.HandlerFunc{onACopy, count}}, 100 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			t.Setenv("SAVE", t.TempDir())
			test.route.method, test.route.path = http.MethodPost, "/"
			got := send(t, test.route.asJob(t), upload(t, test.size))
			require.Equal(t, fmt.Sprintf("hello photo.png %d", test.size), got.body)
			require.Empty(t, leftovers(t, temp))
		})
	}

	t.Run("when the handler panics", func(t *testing.T) {
		temp := t.TempDir()
		t.Setenv("TMPDIR", temp)
		replay := newReplayEngine(&gin.Engine{MaxMultipartMemory: 1})
		replay.add(http.MethodPost, "/", func(c *gin.Context) {
			_, err := c.FormFile("file")
			assert.NoError(t, err)
			assert.Len(t, leftovers(t, temp), 1)
			panic("no luck")
		})
		s := storedRequest(t, upload(t, 100<<10))
		require.PanicsWithValue(t, "no luck", func() {
			replay.run(t.Context(), http.MethodPost, "/", s, 1<<10, nil)
		})
		require.Empty(t, leftovers(t, temp))
	})
}

func leftovers(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "multipart-*"))
	require.NoError(t, err)
	return files
}

func TestTheContextOfTheRunReachesTheHandler(t *testing.T) {
	t.Run("its deadline and values do", func(t *testing.T) {
		due := time.Now().Add(time.Hour)
		ctx, cancel := context.WithDeadline(context.WithValue(t.Context(), routeKey{}, "value"), due)
		defer cancel()
		runStored(ctx, t, 1<<10, func(c *gin.Context) {
			at, ok := c.Deadline()
			assert.True(t, ok)
			assert.Equal(t, due, at)
			assert.Equal(t, "value", c.Value(routeKey{}))
			assert.NoError(t, c.Err())
		})
	})
	t.Run("its cancellation does", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		runStored(ctx, t, 1<<10, func(c *gin.Context) {
			cancel(errNoRoute)
			<-c.Done()
			assert.ErrorIs(t, c.Err(), context.Canceled)
			assert.ErrorIs(t, context.Cause(c.Request.Context()), errNoRoute)
		})
	})
	t.Run("it ends with the run", func(t *testing.T) {
		var ended <-chan struct{}
		runStored(t.Context(), t, 1<<10, func(c *gin.Context) { ended = c.Done() })
		select {
		case <-ended:
		default:
			require.Fail(t, "the context goes on after the run")
		}
	})
}

func TestARunReturnsTheLastErrorOfTheHandlers(t *testing.T) {
	cause := errors.New("cause")
	got := runStored(t.Context(), t, 1<<10, func(c *gin.Context) {
		_ = c.Error(errors.New("first"))
		_ = c.AbortWithError(http.StatusBadGateway, fmt.Errorf("second: %w", cause))
	})
	require.ErrorIs(t, got.err, cause)
	require.Equal(t, http.StatusBadGateway, got.status)
}

func TestARunPreparesTheContextBeforeTheFirstHandler(t *testing.T) {
	replay := newReplayEngine(gin.New())
	replay.add(http.MethodPost, `/lit\:run`, func(c *gin.Context) { c.String(200, c.GetString("user")) })
	set := func(c *gin.Context) { c.Set("user", "ada") }
	for _, path := range []string{`/lit\:run`, "/lit:run"} {
		got := replay.run(t.Context(), http.MethodPost, path, storedRequest(t, rawRequest("POST /x", "")), 10, set)
		require.Equal(t, "ada", string(got.body))
	}
}

func TestEachRunHasAContextOfItsOwn(t *testing.T) {
	replay := newReplayEngine(gin.New())
	seen := make(map[*gin.Context]bool)
	replay.add(http.MethodPost, "/", func(c *gin.Context) { seen[c] = true })
	for range 50 {
		replay.run(t.Context(), http.MethodPost, "/", storedRequest(t, rawRequest("POST /", "")), 1, nil)
	}
	assert.Len(t, seen, 50)
}

func TestRoutesThatLookAlikeAreKeptApart(t *testing.T) {
	replay := newReplayEngine(gin.New())
	paths := []string{"/a/:id", "/a/:id/b", "/a/x", "/v1:run", "/v1:stop", "/v1:run/:id", "/f/*rest", "/"}
	for _, path := range paths {
		replay.add(http.MethodPost, path, func(c *gin.Context) { c.String(200, "%s %s", path, c.FullPath()) })
	}
	for _, path := range paths {
		got := replay.run(t.Context(), http.MethodPost, path, storedRequest(t, rawRequest("POST /", "")), 99, nil)
		require.Equal(t, path+" "+path, string(got.body))
	}
	got := replay.run(t.Context(), http.MethodGet, "/a/x", storedRequest(t, rawRequest("POST /", "")), 99, nil)
	require.ErrorIs(t, got.err, errNoRoute)
	require.Equal(t, http.StatusNotFound, got.status)
}
