package ginasync

import (
	"time"

	"github.com/gin-gonic/gin"
)

// WithConcurrency sets how many jobs of the default queue this process runs at
// once. Default: 16.
func WithConcurrency(n int) Option {
	return func(c *config) {
		if n < 1 {
			c.mistake("WithConcurrency must be at least 1, not %d: to run no jobs here, use WithoutWorkers", n)
		}
		c.queues[defaultQueue] = n
	}
}

// WithQueue declares a queue and how many of its jobs this process runs at once,
// beside those of other queues. With 0 the process accepts jobs for the queue and
// leaves them to others. Default: the queue "default" alone.
func WithQueue(name string, concurrency int) Option {
	return func(c *config) {
		if name == "" {
			c.mistake("WithQueue needs a name")
		}
		if concurrency < 0 {
			c.mistake("WithQueue(%q): concurrency must not be negative, it is %d", name, concurrency)
		}
		c.queues[name] = concurrency
	}
}

// WithLease sets how long this process's jobs stay its own when it is not heard of
// any more; then other processes run them again. It is renewed three times in that
// time. Default: 10 s. At least 100 ms.
func WithLease(d time.Duration) Option {
	return func(c *config) {
		c.atLeast("WithLease", d, 100*time.Millisecond)
		c.lease = d
	}
}

// WithPollInterval sets how often an idle worker looks for jobs without having been
// told of one: the remedy for a lost message. Default: 1 s. At least 10 ms.
func WithPollInterval(d time.Duration) Option {
	return func(c *config) {
		c.atLeast("WithPollInterval", d, 10*time.Millisecond)
		c.poll = d
	}
}

// WithGrace sets how long Shutdown and Run wait for running jobs before they cancel
// and release them. Default: 30 s. At least 1 ms. Keep it below the time your
// platform leaves a process between SIGTERM and SIGKILL.
func WithGrace(d time.Duration) Option {
	return func(c *config) {
		c.atLeast("WithGrace", d, time.Millisecond)
		c.grace = d
	}
}

// WithoutWorkers makes this process accept and show jobs and run none. Another
// process with the same routes and the same store has to.
func WithoutWorkers() Option {
	return func(c *config) { c.noWorkers = true }
}

// WithMiddleware puts handlers before the handler of every async route, in the
// worker. See also [Middleware].
func WithMiddleware(handlers ...gin.HandlerFunc) Option {
	return func(c *config) {
		for _, h := range handlers {
			c.notNil("WithMiddleware", h == nil)
		}
		c.middleware = append(c.middleware, handlers...)
	}
}
