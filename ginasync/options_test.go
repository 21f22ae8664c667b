package ginasync_test

import (
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/worker"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
)

func TestNewReturnsEveryMistakeJoined(t *testing.T) {
	mistakes := map[string]ginasync.Option{
		"WithStore must not be nil":                    ginasync.WithStore(nil),
		"WithConcurrency must be at least 1, not 0":    ginasync.WithConcurrency(0),
		"WithQueue needs a name":                       ginasync.WithQueue("", 1),
		`WithQueue("pdf"): concurrency must not be`:    ginasync.WithQueue("pdf", -1),
		"WithLease must be at least 100ms, not 1ms":    ginasync.WithLease(time.Millisecond),
		"WithPollInterval must be at least 10ms":       ginasync.WithPollInterval(0),
		"WithGrace must be at least 1ms, not -1s":      ginasync.WithGrace(-time.Second),
		"WithMiddleware must not be nil":               ginasync.WithMiddleware(nil),
		"WithMaxQueued must be at least 1, not 0":      ginasync.WithMaxQueued(0),
		"WithMaxWatchers must be at least 1, not 0":    ginasync.WithMaxWatchers(0),
		"WithBaseURL needs a URL with scheme and host": ginasync.WithBaseURL("example.com"),
		"WithOwner must not be nil":                    ginasync.WithOwner(nil),
		"WithAdmin must not be nil":                    ginasync.WithAdmin(nil),
		"WithAuthorize must not be nil":                ginasync.WithAuthorize(nil),
		"WithURL must not be nil":                      ginasync.WithURL(nil),
		"an Option is nil":                             nil,
		`WithWebhookSecrets: "a/b" is not a host`:      ginasync.WithWebhookSecrets("a/b", hookSecret),
		`WithWebhookSecrets("none") needs a secret`:    ginasync.WithWebhookSecrets("none"),
		`WithWebhookSecrets("h"): secret 2 of 2: webh`: ginasync.WithWebhookSecrets("h", hookSecret, "whsec_short"),
		"WithWebhooks: there is no secret for the hos": ginasync.WithWebhooks("https://unsigned.test/"),
		"WithWebhooks: the URL cannot be used: it ne":  ginasync.WithWebhooks("hooks.test"),
		`WithWebhooks: there is no event "job.sta`:     ginasync.WithWebhooks("https://h/", "job.started"),
		"WithCallbacks: there is no secret for the ho": ginasync.WithCallbacks("X-Callback", "unsigned.test"),
		`WithCallbacks: "X Y" is not the name of a he`: ginasync.WithCallbacks("X Y", "h"),
		"WithCallbacks needs the hosts that clients":   ginasync.WithCallbacks("X-Callback"),
		`WithCallbacks: "*.test" is not a host`:        ginasync.WithCallbacks("X-Callback", "*.test"),
		`WithCallbackNetworks: "localhost" is neither`: ginasync.WithCallbackNetworks("localhost"),
		"WithAccepted must not be nil":                 ginasync.WithAccepted(nil),
		"WithStatus must not be nil":                   ginasync.WithStatus(nil),
		"WithErrorResponse must not be nil":            ginasync.WithErrorResponse(nil),
		"WithLogger must not be nil":                   ginasync.WithLogger(nil),
		"WithDefaults: MaxAttempts must be at least 1": ginasync.WithDefaults(ginasync.MaxAttempts(0)),
	}
	opts := make([]ginasync.Option, 0, len(mistakes))
	for _, opt := range mistakes {
		opts = append(opts, opt)
	}
	_, err := ginasync.New(nil, opts...) // every mistake there can be
	require.ErrorContains(t, err, "the engine is nil")
	for text := range mistakes {
		require.ErrorContains(t, err, text)
	}
}

func TestNewLooksAtOptionsTogether(t *testing.T) {
	for want, opts := range map[string][]ginasync.Option{
		"WithDefaults: Name is for one route":              {ginasync.WithDefaults(ginasync.Name("n"))},
		`WithDefaults: queue "pdf" is not declared`:        {ginasync.WithDefaults(ginasync.Queue("pdf"))},
		"WithDefaults: a RouteOption is nil":               {ginasync.WithDefaults(nil)},
		"no queue has a concurrency above 0":               {ginasync.WithQueue("default", 0)},
		"WithAdmin needs WithOwner":                        {ginasync.WithAdmin(func(*gin.Context) bool { return true })},
		`WithBaseURL needs a URL with scheme and host`:     {ginasync.WithBaseURL("http://")},
		`WithBaseURL must not have a query, a fragment or`: {ginasync.WithBaseURL("https://h/?a=b#c")},
		"WithCallbackNetworks needs WithCallbacks":         {ginasync.WithCallbackNetworks("10.0.0.0/8")},
		`WithBaseURL: parse`:                               {ginasync.WithBaseURL("http://h:port")},
	} {
		_, err := ginasync.New(gin.New(), opts...)
		require.ErrorContains(t, err, want)
	}
	for _, fine := range [][]ginasync.Option{
		{ginasync.WithDefaults(ginasync.Queue("pdf")), ginasync.WithQueue("pdf", 1)},
		{ginasync.WithQueue("default", 0), ginasync.WithoutWorkers()},
		{ginasync.WithBaseURL("/prefix/")},
	} {
		_, err := ginasync.New(gin.New(), fine...)
		require.NoError(t, err)
	}
}

func TestStartReturnsEveryMistakeOfEveryRoute(t *testing.T) {
	mistakes := map[string]ginasync.RouteOption{
		"Name must not be empty":                ginasync.Name(""),
		"Queue needs a name":                    ginasync.Queue(""),
		"MaxAttempts must be at least 1, not 0": ginasync.MaxAttempts(0),
		"Retry: ":                               ginasync.Retry(worker.Backoff{}),
		"Timeout must be above zero":            ginasync.Timeout(0),
		"Retention must be above zero":          ginasync.Retention(0),
		"Delay must not be negative":            ginasync.Delay(-1),
		"Wait must be above zero":               ginasync.Wait(0),
		"MaxBody must be at least 1":            ginasync.MaxBody(0),
		"MaxResult must be at least 1":          ginasync.MaxResult(0),
		"RetryOn must not be nil":               ginasync.RetryOn(nil),
		"CaptureKey needs the name":             ginasync.CaptureKey[int](""),
		"Middleware must not contain nil":       ginasync.Middleware(nil),
		"a RouteOption is nil":                  nil,
		"Webhook: the URL cannot be used":       ginasync.Webhook("ftp://h/"),
	}
	opts := make([]ginasync.RouteOption, 0, len(mistakes))
	for _, opt := range mistakes {
		opts = append(opts, opt)
	}
	r := gin.New()
	r.POST("/x", ginasync.Async(text(""), opts...))
	r.POST("/y", ginasync.Async(nil))
	jobs, err := ginasync.New(r)
	require.NoError(t, err)
	err = jobs.Start(t.Context())
	for text := range mistakes {
		require.ErrorContains(t, err, text)
	}
	require.ErrorContains(t, err, "route POST /x:")
	require.ErrorContains(t, err, "route POST /y: the handler is nil")

	jobs, err = ginasync.New(engine(func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(text(""), ginasync.Webhook("https://hooks.test/")))
	}))
	require.NoError(t, err)
	require.ErrorContains(t, jobs.Start(t.Context()), `Webhook: there is no secret for the host hooks.test: add WithWebhookSecrets("hooks.test", secret) to New`)
}
