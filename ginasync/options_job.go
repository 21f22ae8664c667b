package ginasync

import (
	"reflect"

	"github.com/asyncendpoints/gin-async/store"
)

// WithStore sets where jobs are kept. Default: a memstore of the Manager's own,
// which ends with the process. A mistake in how the store was made ([store.Configured])
// is returned by New. A store that does not say that it is local ([store.Local]) gets
// no credentials unless they are encrypted; see [WithCredentialHeaders].
func WithStore(s store.Store) Option {
	return func(c *config) {
		if isNil(s) {
			c.notNil("WithStore", true)
			return
		}
		c.store = s
	}
}

// isNil reports whether s is nil or a nil pointer, whose methods would panic.
func isNil(s store.Store) bool {
	v := reflect.ValueOf(s)
	return s == nil || v.Kind() == reflect.Pointer && v.IsNil()
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

// WithMaxQueuedPerOwner bounds the jobs of one owner that wait, queued or scheduled: a
// submission over it is answered 429 with Retry-After, so that one client cannot take all
// places of [WithMaxQueued]. A job that is tried again, by itself or by the retry route,
// counts and is not refused. It needs [WithOwner]. Set it in all processes: those without
// it store jobs that are not counted. Default: none.
func WithMaxQueuedPerOwner(n int) Option {
	return func(c *config) {
		if n < 1 {
			c.mistake("WithMaxQueuedPerOwner must be at least 1, not %d: leave the option out for no bound", n)
		}
		c.maxQueuedPerOwner = n
	}
}

// WithDefaults sets route options for all routes; a route's own come after them.
func WithDefaults(opts ...RouteOption) Option {
	return func(c *config) { c.defaults.apply(opts) }
}
