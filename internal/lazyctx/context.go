package lazyctx

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

var _ context.Context = (*Context)(nil)

// Context is a context that is made when it is looked at. Make one with
// [WithTimeout] or [Detached], or give a zero one its parent with
// [Context.Init]. It must not be copied. All methods but Init are safe for concurrent use.
type Context struct {
	parent context.Context //nolint:containedctx // it is a context itself
	// timeout counts from the first look; 0: there is none.
	timeout time.Duration
	// detached contexts have the values of their parent and do not end with it.
	detached bool
	real     atomic.Pointer[made]

	mu sync.Mutex
	// deadline is when the context ends, by Limit with late; zero: not by itself, or the
	// timeout does not count yet.
	deadline time.Time
	late     error
	// ended is why the context ended before it was made; nil: it did not.
	ended error
}

// made is the context that answers when there is one.
type made struct {
	context.Context //nolint:containedctx // it is a context itself
	cancel          context.CancelCauseFunc
	stop            context.CancelFunc // of the deadline
}

// WithTimeout is context.WithTimeout, but for the time: it is d after the first Done,
// Deadline or Patience of the context. Who looks at none is not bounded.
func WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	c := &Context{parent: parent, timeout: d}
	return c, func() { c.Cancel(nil) }
}

// Detached is WithTimeout of context.WithoutCancel(parent).
func Detached(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	c := &Context{parent: parent, timeout: d, detached: true}
	return c, func() { c.Cancel(nil) }
}

// Init gives c its parent. The context ends with it or with Cancel, which has to be
// called in the end. Nobody else may have c yet.
func (c *Context) Init(parent context.Context) { c.parent = parent }

// Limit gives the context a deadline and the cause with which it ends then. It has to be
// called before anybody can have looked at the end of c.
func (c *Context) Limit(deadline time.Time, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline, c.late = deadline, cause
}

// Cancel ends the context with that cause, nil standing for context.Canceled. Only the
// first end counts.
func (c *Context) Cancel(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	c.mu.Lock()
	if c.ended == nil {
		c.ended = cause
	}
	m := c.real.Load()
	c.mu.Unlock()
	if m != nil {
		m.end(cause)
	}
}

// Expire ends a context whose deadline has passed, for those who have not looked at
// it: the others have a timer.
func (c *Context) Expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		c.ended = c.late
	}
}

// Deadline implements context.Context.
func (c *Context) Deadline() (time.Time, bool) {
	if c.timeout > 0 {
		return c.make().Deadline()
	}
	c.mu.Lock()
	own := c.deadline
	c.mu.Unlock()
	deadline, ok := c.parent.Deadline()
	if !own.IsZero() && (!ok || own.Before(deadline)) {
		return own, true
	}
	return deadline, ok
}

// Done implements context.Context.
func (c *Context) Done() <-chan struct{} { return c.make().Done() }

// Err implements context.Context.
func (c *Context) Err() error {
	if m := c.real.Load(); m != nil {
		return m.Err()
	}
	if c.isOver() {
		return c.make().Err()
	}
	if c.detached {
		return nil
	}
	return c.parent.Err()
}

// Value implements context.Context.
func (c *Context) Value(key any) any {
	// The real context has what context.Cause and contexts that are derived from c ask
	// for. The latter come after Done.
	if m := c.real.Load(); m != nil {
		return m.Value(key)
	}
	if c.isOver() {
		return c.make().Value(key)
	}
	return c.parent.Value(key)
}

// Cause is context.Cause of c. It makes nothing.
func (c *Context) Cause() error {
	if m := c.real.Load(); m != nil {
		return context.Cause(m)
	}
	c.mu.Lock()
	ended := c.ended
	c.mu.Unlock()
	if ended != nil || c.detached {
		return ended
	}
	return context.Cause(c.parent)
}

// Patience looks at ctx without making it. It tells how long to wait under it: until gone is
// closed, nil standing for never, and for d from now on, which is most at most; nothing is
// left when d is not positive. When gone is closed, ctx.Err tells why. Use it only where
// nobody cancels a context of WithTimeout or Detached before the caller has returned: such a
// Cancel is not noticed. The deadline of any other context closes gone.
func Patience(ctx context.Context, now time.Time, most time.Duration) (gone <-chan struct{}, d time.Duration) {
	c, ok := ctx.(*Context)
	if !ok || c.timeout <= 0 {
		return ctx.Done(), most
	}
	d, ok = c.left(now)
	switch {
	case !ok:
		return ctx.Done(), most
	case c.detached:
		return nil, min(d, most)
	}
	return c.parent.Done(), min(d, most)
}

// left returns how long a context with a timeout has, which begins to count if it did not;
// false: it has been made, or is over.
func (c *Context) left(now time.Time) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.real.Load() != nil || c.ended != nil:
		return 0, false
	case c.deadline.IsZero():
		c.deadline = now.Add(c.timeout)
		return c.timeout, true
	}
	return c.deadline.Sub(now), true
}

// isOver reports whether the context was ended before it was made.
func (c *Context) isOver() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended != nil
}

// make returns the real context.
func (c *Context) make() *made {
	if m := c.real.Load(); m != nil {
		return m
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.real.Load(); m != nil {
		return m
	}
	m := c.build()
	c.real.Store(m)
	return m
}

// build makes the real context, ended if c is. Call it with mu held.
func (c *Context) build() *made {
	if c.timeout > 0 {
		parent := c.parent
		if c.detached {
			parent = context.WithoutCancel(parent)
		}
		deadline := c.deadline
		if deadline.IsZero() || c.ended != nil { // else it could have ended twice
			deadline = time.Now().Add(c.timeout)
		}
		ctx, stop := context.WithDeadline(parent, deadline)
		return ended(&made{Context: ctx, stop: stop}, c.ended)
	}
	m := new(made)
	parent := c.parent
	if !c.deadline.IsZero() {
		parent, m.stop = context.WithDeadlineCause(parent, c.deadline, c.late)
	}
	m.Context, m.cancel = context.WithCancelCause(parent)
	return ended(m, c.ended)
}

// ended returns m, ended if there is a cause. One whose deadline has passed is ended
// already.
func ended(m *made, cause error) *made {
	if cause != nil && m.Err() == nil {
		m.end(cause)
	}
	return m
}

func (m *made) end(cause error) {
	if m.cancel != nil {
		m.cancel(cause)
	}
	if m.stop != nil {
		m.stop()
	}
}
