package ginasync_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDiscovery(t *testing.T) {
	fullPath := func(c *gin.Context) { c.String(http.StatusOK, c.FullPath()) }

	t.Run("finds async routes wherever they stand", func(t *testing.T) {
		pass := func(*gin.Context) {}
		a := newApp(t, func(r *gin.Engine) {
			r.Use(pass)
			group := r.Group("/v1/:tenant", pass)
			group.POST("/files/*path", pass, ginasync.Async(fullPath))
			r.Match([]string{http.MethodPost, http.MethodPut}, "/match", ginasync.Async(fullPath))
			r.Handle("PURGE", "/purge", ginasync.Async(fullPath))
			r.POST(`/action\:run`, ginasync.Async(fullPath))
			r.POST("/plain", text("plain"))
		})
		for _, route := range []struct{ method, path, full string }{
			{http.MethodPost, "/v1/acme/files/a/b", "/v1/:tenant/files/*path"},
			{http.MethodPost, "/match", "/match"},
			{http.MethodPut, "/match", "/match"},
			{"PURGE", "/purge", "/purge"},
			{http.MethodPost, "/action:run", "/action:run"},
		} {
			got := a.do(route.method, route.path, nil)
			require.Equal(t, http.StatusAccepted, got.StatusCode, route)
			status := got.status(t)
			assert.Equal(t, route.method+" "+route.full, status.Route)
			a.finish(status.ID)
			assert.Equal(t, route.full, string(a.get("/jobs/"+status.ID+"/result").body))
		}
		assert.Equal(t, "plain", string(a.post("/plain", "").body))
	})

	t.Run("runs middleware before Async at submission and Middleware in the worker", func(t *testing.T) {
		order := make(chan string, 10)
		note := func(name string) gin.HandlerFunc {
			return func(c *gin.Context) { order <- name; c.Next(); order <- "after " + name }
		}
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", note("submission"), ginasync.Async(func(*gin.Context) { order <- "handler" }, ginasync.Middleware(note("route"))))
		}, ginasync.WithMiddleware(note("all")), ginasync.WithDefaults(ginasync.Middleware(note("default"))))
		a.finish(a.submit("/x", ""))
		var submission, attempt []string
		for range 9 {
			if one := <-order; one == "submission" || one == "after submission" {
				submission = append(submission, one)
			} else {
				attempt = append(attempt, one)
			}
		}
		assert.Equal(t, []string{"submission", "after submission"}, submission)
		assert.Equal(t, []string{"all", "default", "route", "handler", "after route", "after default", "after all"}, attempt)
	})

	mistakes := []struct {
		name, want string
		routes     func(r *gin.Engine)
	}{
		{"two routes with one name", `the name "n" belongs to`, func(r *gin.Engine) {
			r.POST("/a", ginasync.Async(fullPath, ginasync.Name("n")))
			r.POST("/b", ginasync.Async(fullPath, ginasync.Name("n")))
		}},
		{"a queue that is not declared", `queue "pdf" is not declared: add WithQueue`, func(r *gin.Engine) {
			r.POST("/a", ginasync.Async(fullPath, ginasync.Queue("pdf")))
		}},
	}
	for _, tt := range mistakes {
		t.Run("refuses "+tt.name, func(t *testing.T) {
			r := gin.New()
			tt.routes(r)
			jobs, err := ginasync.New(r)
			require.NoError(t, err)
			require.ErrorContains(t, jobs.Start(t.Context()), tt.want)
		})
	}

	t.Run("gives a route to one Manager only", func(t *testing.T) {
		r := gin.New()
		r.POST("/x", ginasync.Async(fullPath))
		startApp(t, r, memstore.New())
		second, err := ginasync.New(r)
		require.NoError(t, err)
		require.ErrorContains(t, second.Start(t.Context()), "belongs to another Manager")
	})

	t.Run("lets Start be called once", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) { r.POST("/x", ginasync.Async(fullPath)) })
		require.ErrorContains(t, a.jobs.Start(t.Context()), "already started")
	})

	t.Run("refuses a status group that cannot work", func(t *testing.T) {
		for want, mount := range map[string]func(m *ginasync.Manager, r *gin.Engine){
			"needs a group":            func(m *ginasync.Manager, _ *gin.Engine) { m.Routes(nil) },
			"must not have parameters": func(m *ginasync.Manager, r *gin.Engine) { m.Routes(r.Group("/:tenant/jobs")) },
			"called twice": func(m *ginasync.Manager, r *gin.Engine) {
				m.Routes(r.Group("/a"))
				m.Routes(r.Group("/b"))
			},
		} {
			r := gin.New()
			jobs, err := ginasync.New(r)
			require.NoError(t, err)
			mount(jobs, r)
			require.ErrorContains(t, jobs.Start(t.Context()), want)
		}
	})

	t.Run("takes the root for the status routes", func(t *testing.T) {
		r := gin.New()
		r.POST("/x", ginasync.Async(fullPath))
		jobs, err := ginasync.New(r, ginasync.WithoutWorkers())
		require.NoError(t, err)
		jobs.Routes(&r.RouterGroup)
		require.NoError(t, jobs.Start(t.Context()))
		location := serve(t, r, http.MethodPost, "/x").Header.Get("Location")
		assert.Regexp(t, `^/[a-z2-7]+$`, location)
		assert.Equal(t, http.StatusOK, serve(t, r, http.MethodGet, location).StatusCode)
	})

	t.Run("leaves Routes after Start alone", func(t *testing.T) {
		r := gin.New()
		jobs, err := ginasync.New(r, ginasync.WithoutWorkers(), ginasync.WithLogger(slog.New(slog.DiscardHandler)))
		require.NoError(t, err)
		require.NoError(t, jobs.Start(t.Context()))
		jobs.Routes(r.Group("/jobs"))
		assert.Empty(t, r.Routes())
	})

	t.Run("follows a method that a middleware overrides", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", func(c *gin.Context) { c.Request.Method = http.MethodPut },
				ginasync.Async(func(c *gin.Context) { c.String(http.StatusOK, c.Request.Method) }))
			r.Any("/any", func(c *gin.Context) { c.Request.Method = "ODD" }, ginasync.Async(fullPath))
		})
		assert.Equal(t, http.MethodPut, string(a.run("/x", "").body))
		assert.Equal(t, http.StatusInternalServerError, a.post("/any", "").StatusCode, "which route is meant, nobody knows")
	})

	t.Run("runs as many jobs of a queue at once as the queue has room for", func(t *testing.T) {
		running, finish := make(chan struct{}, 10), make(chan struct{})
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/pdf", ginasync.Async(func(*gin.Context) { running <- struct{}{}; <-finish }, ginasync.Queue("pdf")))
			r.POST("/other", ginasync.Async(text("not held up")))
		}, ginasync.WithQueue("pdf", 2))
		for range 4 {
			a.submit("/pdf", "")
		}
		<-running
		<-running
		assert.Equal(t, "not held up", string(a.run("/other", "").body))
		stats, err := a.store.Stats(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 2, stats.InProgress)
		assert.Equal(t, 2, stats.Queued)
		close(finish)
	})

	t.Run("works without status routes, without links", func(t *testing.T) {
		r := gin.New()
		r.POST("/x", ginasync.Async(fullPath))
		jobs, err := ginasync.New(r, ginasync.WithoutWorkers())
		require.NoError(t, err)
		require.NoError(t, jobs.Start(t.Context()))
		got := serve(t, r, http.MethodPost, "/x")
		assert.Equal(t, http.StatusAccepted, got.StatusCode)
		assert.Empty(t, got.Header.Get("Location"))
		require.NoError(t, jobs.Shutdown(t.Context()))
	})

	t.Run("leaves a queue with concurrency 0 to other processes", func(t *testing.T) {
		shared := memstore.New()
		routes := func() *gin.Engine {
			r := gin.New()
			r.POST("/x", ginasync.Async(fullPath, ginasync.Queue("pdf")))
			return r
		}
		accepting := startApp(t, routes(), shared, ginasync.WithQueue("pdf", 0))
		id := accepting.submit("/x", "")
		startApp(t, routes(), shared, ginasync.WithQueue("pdf", 1))
		assert.Equal(t, store.Completed, accepting.finish(id).State)
	})
}

func TestCaptureKey(t *testing.T) {
	type user struct {
		Name  string
		Roles []string
	}
	login := func(value any) gin.HandlerFunc { return func(c *gin.Context) { c.Set("user", value) } }

	t.Run("carries a context value to the worker with its type", func(t *testing.T) {
		ann := user{"Ann", []string{"admin"}}
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/gin", login(ann), ginasync.Async(func(c *gin.Context) {
				got, _ := c.Get("user")
				c.JSON(http.StatusOK, got.(user))
			}, ginasync.CaptureKey[user]("user")))
			r.POST("/typed", login(ann), ginasync.AsyncFunc(func(ctx context.Context, _ struct{}) (string, error) {
				got, _ := ginasync.Captured[user](ctx, "user")
				return got.Name, nil
			}, ginasync.CaptureKey[user]("user")))
			r.POST("/nil", login(nil), ginasync.AsyncFunc(func(ctx context.Context, _ struct{}) (bool, error) {
				_, ok := ginasync.Captured[user](ctx, "user")
				return ok, nil
			}, ginasync.CaptureKey[user]("user")))
			r.POST("/unset", ginasync.AsyncFunc(func(ctx context.Context, _ struct{}) (bool, error) {
				_, ok := ginasync.Captured[user](ctx, "user")
				return ok, nil
			}, ginasync.CaptureKey[user]("user")))
		})
		assert.JSONEq(t, `{"Name":"Ann","Roles":["admin"]}`, string(a.run("/gin", "").body))
		assert.JSONEq(t, `"Ann"`, string(a.run("/typed", "").body))
		assert.Equal(t, "false", string(a.run("/unset", "").body))
		assert.Equal(t, "false", string(a.run("/nil", "").body))
	})

	t.Run("refuses a value of another type or none that JSON can hold", func(t *testing.T) {
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/type", login("Ann"), ginasync.Async(text(""), ginasync.CaptureKey[user]("user")))
			r.POST("/json", login(func() {}), ginasync.Async(text(""), ginasync.CaptureKey[func()]("user")))
		})
		for _, path := range []string{"/type", "/json"} {
			got := a.post(path, "")
			assert.Equal(t, http.StatusInternalServerError, got.StatusCode)
			assert.Contains(t, got.problem(t).Type, "#key-not-captured")
		}
		assertNoJobs(t, a)
	})

	t.Run("fails a job whose value no longer fits the type", func(t *testing.T) {
		shared := memstore.New()
		engine := func(option ginasync.RouteOption) *gin.Engine {
			r := gin.New()
			r.POST("/x", login("Ann"), ginasync.Async(text(""), option))
			return r
		}
		old := startApp(t, engine(ginasync.CaptureKey[string]("user")), shared, ginasync.WithoutWorkers())
		id := old.submit("/x", "")
		startApp(t, engine(ginasync.CaptureKey[int]("user")), shared)
		assert.Equal(t, "request-unreadable", old.finish(id).Problem.Type)
	})
}
