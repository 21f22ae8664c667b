package ginasync

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asyncendpoints/gin-async/worker"
	"github.com/gin-gonic/gin"
)

// RouteOption sets something of one route, or of all with [WithDefaults]. A mistake
// is returned by Start, or by New for WithDefaults, together with all others.
type RouteOption func(*routeConfig)

// routeConfig is what the RouteOptions of one route come to.
type routeConfig struct {
	name        string
	queue       string
	maxAttempts int
	backoff     worker.Backoff
	timeout     time.Duration
	retention   time.Duration
	delay       time.Duration
	wait        time.Duration // that a submission waits for the answer unasked
	keyRequired bool          // no request without an idempotency key
	maxBody     int64
	maxResult   int64
	retryOn     func(status int, err error) bool
	keys        []keyCodec
	middleware  []gin.HandlerFunc
	webhooks    []subscription

	errs []error
}

const mebibyte = 1 << 20

func defaultRouteConfig() routeConfig {
	return routeConfig{
		queue:       defaultQueue,
		maxAttempts: 4,
		backoff:     worker.DefaultBackoff(),
		timeout:     30 * time.Minute,
		retention:   24 * time.Hour,
		maxBody:     10 * mebibyte,
		maxResult:   10 * mebibyte,
		retryOn:     worthRetrying,
	}
}

// clone keeps the appends of one route away from those of another.
func (c *routeConfig) clone() routeConfig {
	clone := *c
	clone.keys = slices.Clone(c.keys)
	clone.middleware = slices.Clone(c.middleware)
	clone.webhooks = slices.Clone(c.webhooks)
	return clone
}

func (c *routeConfig) apply(opts []RouteOption) {
	for _, opt := range opts {
		if opt == nil {
			c.mistake("a RouteOption is nil: leave it out")
			continue
		}
		opt(c)
	}
}

func (c *routeConfig) mistake(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

func (c *routeConfig) validate() error { return errors.Join(c.errs...) }

// positive notes a number that has to be above zero.
func (c *routeConfig) positive(option string, n int64) {
	if n < 1 {
		c.mistake("%s must be at least 1, not %d", option, n)
	}
}

// Name sets the name under which jobs of the route are stored. All processes must
// agree on it. Default: method and full path, such as "POST /reports/:year". Set it
// to keep waiting jobs when the path changes.
func Name(name string) RouteOption {
	return func(c *routeConfig) {
		if name == "" {
			c.mistake("Name must not be empty: leave the option out for the default")
		}
		c.name = name
	}
}

// Queue sets the queue that jobs of the route wait in; declare it with
// [WithQueue]. Default: "default".
func Queue(name string) RouteOption {
	return func(c *routeConfig) {
		if name == "" {
			c.mistake("Queue needs a name: leave the option out for the default queue")
		}
		c.queue = name
	}
}

// MaxAttempts sets how many attempts a job has in all; 1: no retry. Default: 4.
func MaxAttempts(n int) RouteOption {
	return func(c *routeConfig) {
		c.positive("MaxAttempts", int64(n))
		c.maxAttempts = n
	}
}

// Retry sets the back-off between attempts. Default: 2 s, doubled with each
// attempt, ±20 %, at most 10 min.
func Retry(backoff worker.Backoff) RouteOption {
	return func(c *routeConfig) {
		if err := backoff.Validate(); err != nil {
			c.mistake("Retry: %w", err)
		}
		c.backoff = backoff
	}
}

// Timeout sets how long one attempt may take. Then its context is done, and the
// attempt counts as failed with 504, worth a retry. A handler that has not returned
// 5 s later is left behind. Default: 30 min.
func Timeout(d time.Duration) RouteOption {
	return func(c *routeConfig) {
		if d <= 0 {
			c.mistake("Timeout must be above zero, not %v", d)
		}
		c.timeout = d
	}
}

// Retention sets how long a job and its result are kept after it is over. Default:
// 24 h.
func Retention(d time.Duration) RouteOption {
	return func(c *routeConfig) {
		if d <= 0 {
			c.mistake("Retention must be above zero, not %v", d)
		}
		c.retention = d
	}
}

// Delay makes jobs of the route wait that long before the first attempt. Default: 0.
func Delay(d time.Duration) RouteOption {
	return func(c *routeConfig) {
		if d < 0 {
			c.mistake("Delay must not be negative, it is %v", d)
		}
		c.delay = d
	}
}

// MaxBody bounds the request body in bytes; a longer one is answered 413. Default:
// 10 MiB.
func MaxBody(bytes int64) RouteOption {
	return func(c *routeConfig) {
		c.positive("MaxBody", bytes)
		c.maxBody = bytes
	}
}

// MaxResult bounds the body a handler may answer, in bytes. A job whose handler
// answers more fails; nothing is cut off. Default: 10 MiB.
func MaxResult(bytes int64) RouteOption {
	return func(c *routeConfig) {
		c.positive("MaxResult", bytes)
		c.maxResult = bytes
	}
}

// RetryOn decides which failed attempts are worth another one, from the handler's
// status code and its error, nil if it gave none. Default: 408, 425, 429 and 5xx.
// [Permanent] errors, timeouts and panics are not asked about.
func RetryOn(worth func(status int, err error) bool) RouteOption {
	return func(c *routeConfig) {
		if worth == nil {
			c.mistake("RetryOn must not be nil: leave the option out for the default")
		}
		c.retryOn = worth
	}
}

// Middleware puts handlers before the route's handler, in the worker, after those
// of [WithMiddleware]. Default: none.
func Middleware(handlers ...gin.HandlerFunc) RouteOption {
	return func(c *routeConfig) {
		if slices.ContainsFunc(handlers, func(h gin.HandlerFunc) bool { return h == nil }) {
			c.mistake("Middleware must not contain nil")
		}
		c.middleware = append(c.middleware, handlers...)
	}
}
