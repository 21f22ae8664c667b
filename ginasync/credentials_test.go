package ginasync_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// showHeaders answers which headers the handler sees.
func showHeaders(c *gin.Context) {
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "X-Other"} {
		c.String(http.StatusOK, "%s=%s;", name, strings.Join(c.Request.Header[name], ","))
	}
}

const (
	allHeaders  = "Authorization=Bearer secret-1;Proxy-Authorization=Basic secret-2;Cookie=a=secret-3,b=secret-4;X-Api-Key=secret-5;X-Other=plain;"
	keptHeaders = "Authorization=;Proxy-Authorization=;Cookie=;X-Api-Key=;X-Other=plain;"
	droppedLine = "these request headers are not stored"
)

func runWithCredentials(a *app) string {
	a.t.Helper()
	return string(a.run("/x", "", "Authorization", "Bearer secret-1", "Proxy-Authorization", "Basic secret-2",
		"Cookie", "a=secret-3", "Cookie", "b=secret-4", "X-Api-Key", "secret-5", "X-Other", "plain").body)
}

func TestCredentials(t *testing.T) {
	routes := func(r *gin.Engine) { r.POST("/x", ginasync.Async(showHeaders)) }
	own := ginasync.WithCredentialHeaders("x-api-KEY")

	t.Run("do not rest in the clear outside of the process, and the log says so once", func(t *testing.T) {
		notes, log := newNotebook(), logbook{}
		a := startApp(t, engine(routes), notes, own, log.option())
		assert.Equal(t, keptHeaders, runWithCredentials(a))
		assert.Equal(t, keptHeaders, runWithCredentials(a))
		assert.NotContains(t, notes.text(), "secret")
		assert.Contains(t, notes.text(), "X-Other: plain")
		said := log.with(droppedLine)
		require.Len(t, said, 1)
		assert.Contains(t, said[0], "level=WARN")
		assert.Contains(t, said[0], "WithEncryption keeps them")
		assert.Contains(t, said[0], `headers="[Authorization Cookie Proxy-Authorization X-Api-Key]"`)
	})

	for name, setting := range map[string]struct {
		store store.Store
		opts  []ginasync.Option
	}{
		"a store that is local":                    {memstore.New(), nil},
		"a store outside that is encrypted":        {newRemoteStore(), []ginasync.Option{ginasync.WithEncryption(key(1))}},
		"a local store that is encrypted":          {memstore.New(), []ginasync.Option{ginasync.WithEncryption(key(1))}},
		"a store that says whether it is local: a": {mayBeLocal{memstore.New(), true}, nil},
	} {
		t.Run("are kept by "+name, func(t *testing.T) {
			var log logbook
			a := startApp(t, engine(routes), setting.store, append(setting.opts, own, log.option())...)
			assert.Equal(t, allHeaders, runWithCredentials(a))
			assert.Empty(t, log.with(droppedLine))
		})
	}

	t.Run("are dropped by a store that says that it is not local", func(t *testing.T) {
		a := startApp(t, engine(routes), mayBeLocal{memstore.New(), false}, own)
		assert.Equal(t, keptHeaders, runWithCredentials(a))
	})

	t.Run("are there for the middleware before Async, which can hand on who the user is", func(t *testing.T) {
		notes := newNotebook()
		a := startApp(t, engine(func(r *gin.Engine) {
			login := func(c *gin.Context) { c.Set("user", "ada via "+c.GetHeader("X-Other")) }
			r.POST("/x", login, ginasync.Async(func(c *gin.Context) {
				c.String(http.StatusOK, "%s %s", c.GetString("user"), c.GetHeader("Authorization"))
			}, ginasync.CaptureKey[string]("user")))
		}), notes, own)
		assert.Equal(t, "ada via plain ", runWithCredentials(a))
		assert.NotContains(t, notes.text(), "secret")
	})

	t.Run("do not rest as trailers or in an absolute URL either", func(t *testing.T) {
		notes := newNotebook()
		a := startApp(t, engine(func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				c.String(http.StatusOK, "%s %s %v", c.Request.RequestURI, c.Request.URL, c.Request.Trailer)
			}))
		}), notes, own)
		conn := dial(t, a)
		_, err := fmt.Fprint(conn, "POST http://ada:secret-6@host.example/x?a=@b HTTP/1.1\r\nHost: host.example\r\nTransfer-Encoding: chunked\r\n"+
			"Trailer: X-Api-Key, X-Sum\r\n\r\n1\r\nx\r\n0\r\nX-Api-Key: secret-7\r\nX-Sum: 1\r\n\r\n")
		require.NoError(t, err)
		id := readAnswer(t, conn).status(t).ID
		a.finish(id)
		assert.Equal(t, "http://host.example/x?a=@b http://host.example/x?a=@b map[X-Sum:[1]]", string(a.get("/jobs/"+id+"/result").body))
		assert.NotContains(t, notes.text(), "secret")
	})

	t.Run("are not stored when a middleware makes the request target unreadable", func(t *testing.T) {
		notes := newNotebook()
		a := startApp(t, engine(func(r *gin.Engine) {
			odd := func(c *gin.Context) { c.Request.RequestURI = c.GetHeader("X-Target") }
			r.POST("/x", odd, ginasync.Async(func(c *gin.Context) { c.String(http.StatusOK, c.Request.RequestURI) }))
		}), notes, ginasync.WithCredentialHeaders("X-Target"))
		for _, target := range []string{"ada:secret-8@host", "http://ada:secret-9@host:port/x"} {
			assert.Equal(t, "/x", string(a.run("/x", "", "X-Target", target).body), target)
		}
		assert.Equal(t, "/y?a=@b", string(a.run("/x", "", "X-Target", "/y?a=@b").body))
		assert.NotContains(t, notes.text(), "secret")
	})

	t.Run("of a result do not rest there either: neither cookies nor headers of those names", func(t *testing.T) {
		answer := func(c *gin.Context) {
			c.Header("Set-Cookie", "session=secret")
			c.Header("X-Api-Key", "secret")
			c.String(http.StatusOK, "done")
		}
		routes := func(r *gin.Engine) { r.POST("/x", ginasync.Async(answer)) }
		notes := newNotebook()
		got := startApp(t, engine(routes), notes, own).run("/x", "")
		assert.Equal(t, "done", string(got.body))
		assert.Empty(t, got.Header.Get("X-Api-Key"))
		assert.NotContains(t, notes.text(), "secret")

		got = startApp(t, engine(routes), newRemoteStore(), own, ginasync.WithEncryption(key(1))).run("/x", "")
		assert.Equal(t, "secret", got.Header.Get("X-Api-Key"))
		assert.Empty(t, got.Header.Get("Set-Cookie"))
	})
}

type mayBeLocal struct {
	store.Store
	local bool
}

func (s mayBeLocal) Local() bool { return s.local }

func TestATypedRouteThatNeedsACredential(t *testing.T) {
	type embedded struct {
		Token string `header:"authorization"`
	}
	type request struct {
		embedded
		Title string `json:"title"`
	}
	routes := func(r *gin.Engine) {
		r.POST("/reports", ginasync.AsyncFunc(func(_ context.Context, req request) (string, error) { return req.Token, nil }))
		r.POST("/exports", ginasync.AsyncFunc(func(context.Context, struct {
			Key string `header:"x-api-key"`
		},
		) (string, error) {
			return "", nil
		}))
	}

	t.Run("does not start when the credential would be dropped", func(t *testing.T) {
		jobs, err := ginasync.New(engine(routes), ginasync.WithStore(newRemoteStore()), ginasync.WithCredentialHeaders("X-Api-Key"))
		require.NoError(t, err)
		err = jobs.Start(t.Context())
		for _, part := range []string{
			"route POST /reports: ", "field embedded.Token: the header Authorization is not stored", "WithEncryption", "CaptureKey",
			"route POST /exports: ", "field Key: the header X-Api-Key is not stored",
		} {
			require.ErrorContains(t, err, part)
		}
	})
	t.Run("gets it when it is kept", func(t *testing.T) {
		for name, a := range map[string]*app{
			"local":     startApp(t, engine(routes), memstore.New()),
			"encrypted": startApp(t, engine(routes), newRemoteStore(), ginasync.WithEncryption(key(1))),
		} {
			got := a.run("/reports", `{}`, "Content-Type", "application/json", "Authorization", "Bearer x")
			assert.JSONEq(t, `"Bearer x"`, string(got.body), name)
		}
	})
}

func TestTheCredentialsWarningIsForThoseWhoStoreRequests(t *testing.T) {
	var log logbook
	startApp(t, gin.New(), newRemoteStore(), log.option(), ginasync.WithoutWorkers())
	assert.NotEmpty(t, log.with("no async routes found"))
	assert.Empty(t, log.with(droppedLine))
}

func TestCredentialOptionsSayWhatIsWrong(t *testing.T) {
	for want, opt := range map[string]ginasync.Option{
		"WithEncryption needs a key of 32 random bytes":                       ginasync.WithEncryption(),
		"WithEncryption: key 1 of 1 has 5 bytes and must have 32":             ginasync.WithEncryption([]byte("short")),
		"WithEncryption: key 2 of 2 is there twice":                           ginasync.WithEncryption(key(1), key(1)),
		"WithCredentialHeaders needs the name of a header":                    ginasync.WithCredentialHeaders(),
		`WithCredentialHeaders: "" is not the name of a header`:               ginasync.WithCredentialHeaders(""),
		`WithCredentialHeaders: "X Key" is not the name of a header`:          ginasync.WithCredentialHeaders("X-Good", "X Key"),
		"WithCredentialHeaders: a request cannot be stored without Host":      ginasync.WithCredentialHeaders("host"),
		"WithCredentialHeaders: a request cannot be stored without Content-T": ginasync.WithCredentialHeaders("content-type"),
	} {
		_, err := ginasync.New(gin.New(), opt)
		require.ErrorContains(t, err, want)
	}
	_, err := ginasync.New(gin.New(), ginasync.WithEncryption(key(1), key(2)), ginasync.WithCredentialHeaders("X-A"), ginasync.WithCredentialHeaders("X-B"))
	require.NoError(t, err)
}
