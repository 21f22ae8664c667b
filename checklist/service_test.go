package checklist_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
)

const (
	hookSecret     = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	callbackHeader = "X-Callback-Url"
	prefixHeader   = "X-Public-Prefix"
	// writeTimeout is the server's. It is shorter than what waits and streams take.
	writeTimeout = time.Second / 2
)

// settings are what a service is told.
type settings struct {
	Redis  string // host:port; empty: memory
	Gates  string // URL of what tells the handlers to go on
	Hook   string // host:port that is told of the end of jobs
	Inner  string // host:port, of a name that has an address of this machine, that clients may name
	Works  bool   // it runs jobs, too
	Sealed bool   // what it stores is encrypted
}

// service is a process as users write it, whose handlers do what the checks need.
type service struct {
	jobs   *ginasync.Manager
	server *http.Server
	gates  *http.Client
}

// openService starts the workers; serve takes requests.
func openService(s settings, jobs store.Store, log *slog.Logger) (*service, error) {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	v := &service{gates: &http.Client{Transport: &http.Transport{}}}
	v.routes(r, s)
	opts := []ginasync.Option{
		ginasync.WithStore(jobs), ginasync.WithLogger(log), ginasync.WithGrace(patience),
		ginasync.WithOwner(func(c *gin.Context) string { return c.GetHeader("User") }),
		ginasync.WithURL(func(c *gin.Context, path string) string { return c.GetHeader(prefixHeader) + path }),
		ginasync.WithQueue("shelf", 0),
		ginasync.WithWebhookSecrets(s.Hook, hookSecret),
		ginasync.WithWebhookSecrets(s.Inner, hookSecret),
		ginasync.WithWebhookSecrets("hooks.test", hookSecret),
		ginasync.WithCallbacks(callbackHeader, "hooks.test", s.Inner),
	}
	if !s.Works {
		opts = append(opts, ginasync.WithoutWorkers())
	}
	if s.Sealed {
		opts = append(opts, ginasync.WithEncryption([]byte("0123456789abcdefghijklmnopqrstuv")))
	}
	var err error
	if v.jobs, err = ginasync.New(r, opts...); err != nil {
		return nil, err
	}
	v.jobs.Routes(r.Group("/jobs"))
	v.server = &http.Server{Handler: r, WriteTimeout: writeTimeout, ReadHeaderTimeout: patience}
	return v, v.jobs.Start(context.Background())
}

// serve takes requests until ctx is done, then ends as a service does: no more
// requests, and the jobs that run may finish.
func (v *service) serve(ctx context.Context, listener net.Listener) error {
	ended := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		ended <- errors.Join(v.server.Shutdown(grace), v.jobs.Shutdown(grace))
	})
	if err := v.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return err
	}
	defer v.gates.CloseIdleConnections()
	return <-ended
}

func (v *service) routes(r *gin.Engine, s settings) {
	held := v.held(s.Gates)
	r.POST("/held", ginasync.Async(held))
	r.POST("/polite", ginasync.Async(held, ginasync.OnPrefer()))
	r.POST("/told", ginasync.Async(held, ginasync.Webhook("http://"+s.Hook+"/")))
	r.POST("/once", ginasync.Async(held, ginasync.MaxAttempts(1)))
	r.POST("/later", ginasync.Async(words, ginasync.Delay(time.Hour)))
	r.POST("/shelved", ginasync.Async(words, ginasync.Queue("shelf")))
	r.POST("/brief", ginasync.Async(words, ginasync.Retention(time.Millisecond)))
	r.POST("/small", ginasync.Async(words, ginasync.MaxBody(10)))
	r.Any("/any", ginasync.Async(words))
	r.POST("/answers/:status", ginasync.Async(answers))
	r.POST("/v1/reports/:kind", ginasync.Async(refers))
	r.POST("/headers", ginasync.Async(headers))
	r.POST("/zipped/outside", zipping, ginasync.Async(words))
	r.POST("/zipped/inside", ginasync.Async(words, ginasync.Middleware(zipping)))
	r.POST("/large", ginasync.Async(large, ginasync.MaxResult(100)))
	r.POST("/credentials", ginasync.Async(credentials))
}

// held does what it is told, until it is told how to end or is stopped.
func (v *service) held(gates string) gin.HandlerFunc {
	return func(c *gin.Context) {
		for {
			word, err := v.next(c, gates+"?gate="+url.QueryEscape(c.Query("gate")))
			switch {
			case err != nil:
				c.String(http.StatusInternalServerError, err.Error())
				return
			case word == "half":
				_ = ginasync.Progress(c, 50, "half of it") // ends with the context, if it fails
			case word == "panic":
				panic("the-words-of-a-panic")
			case word == "end":
				c.String(http.StatusCreated, "what only run %s answers", store.NewID('a'))
				return
			}
		}
	}
}

func (v *service) next(ctx context.Context, gate string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, gate, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := v.gates.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	word, err := io.ReadAll(resp.Body)
	return string(word), err
}
