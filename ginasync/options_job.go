package ginasync

import (
	"github.com/asyncendpoints/gin-async/store"
)

// WithStore sets where jobs are kept. Default: a memstore of the Manager's own,
// which ends with the process.
func WithStore(s store.Store) Option {
	return func(c *config) {
		c.notNil("WithStore", s == nil)
		c.store = s
	}
}

// WithMaxQueued bounds the jobs that wait, queued or scheduled, in the whole store:
// a submission over it is answered 503 with Retry-After. Default: 100 000.
func WithMaxQueued(n int) Option {
	return func(c *config) {
		if n < 1 {
			c.mistake("WithMaxQueued must be at least 1, not %d", n)
		}
		c.maxQueued = n
	}
}

// WithDefaults sets route options for all routes; a route's own come after them.
func WithDefaults(opts ...RouteOption) Option {
	return func(c *config) { c.defaults.apply(opts) }
}
