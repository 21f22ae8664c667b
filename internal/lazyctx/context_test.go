package lazyctx_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
)

var (
	errStop = errors.New("stop")
	errLate = fmt.Errorf("late: %w", context.DeadlineExceeded)
)

func within(parent context.Context) *lazyctx.Context {
	c := new(lazyctx.Context)
	c.Init(parent)
	return c
}

// looks are ways to look at a context before it ends; each must make it behave the same.
func looks() map[string]func(context.Context) {
	return map[string]func(context.Context){
		"nobody looks":         func(context.Context) {},
		"Done is asked for":    func(ctx context.Context) { ctx.Done() },
		"Err is asked for":     func(ctx context.Context) { _ = ctx.Err() },
		"a value is asked for": func(ctx context.Context) { ctx.Value(errStop) },
	}
}

// ends asserts how a context has ended, and one that is derived from it.
func ends(t *testing.T, ctx context.Context, err, cause error) {
	t.Helper()
	child, cancel := context.WithCancel(context.WithValue(ctx, errStop, 1))
	defer cancel()
	for name, ctx := range map[string]context.Context{"the context": ctx, "its child": child} {
		assert.Equal(t, err, ctx.Err(), name)
		assert.Equal(t, cause, context.Cause(ctx), name)
		select {
		case <-ctx.Done():
		default:
			t.Error(name + " is not done")
		}
	}
}

func TestCancel(t *testing.T) {
	for name, look := range looks() {
		t.Run("ends the context with its cause when "+name+" before", func(t *testing.T) {
			ctx := within(t.Context())
			look(ctx)
			require.NoError(t, ctx.Err())
			require.NoError(t, ctx.Cause())
			require.NoError(t, context.Cause(ctx))
			ctx.Cancel(errStop)
			ctx.Cancel(nil)
			assert.Equal(t, errStop, ctx.Cause())
			ends(t, ctx, context.Canceled, errStop)
		})

		t.Run("of the parent ends the context with its cause when "+name+" before", func(t *testing.T) {
			parent, cancel := context.WithCancelCause(t.Context())
			ctx := within(parent)
			defer ctx.Cancel(nil)
			look(ctx)
			cancel(errStop)
			assert.Equal(t, errStop, ctx.Cause())
			ends(t, ctx, context.Canceled, errStop)
		})

		t.Run("without a cause means context.Canceled when "+name+" before", func(t *testing.T) {
			ctx := within(t.Context())
			look(ctx)
			ctx.Cancel(nil)
			ends(t, ctx, context.Canceled, context.Canceled)
			bounded, cancel := lazyctx.WithTimeout(t.Context(), time.Hour)
			look(bounded)
			cancel()
			ends(t, bounded, context.Canceled, context.Canceled)
		})
	}
}

func TestTimeout(t *testing.T) {
	t.Run("counts from the first look", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := lazyctx.WithTimeout(t.Context(), time.Second)
			defer cancel()
			time.Sleep(time.Minute)
			require.NoError(t, ctx.Err())
			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, time.Second, time.Until(deadline))
			time.Sleep(time.Second)
			synctest.Wait()
			ends(t, ctx, context.DeadlineExceeded, context.DeadlineExceeded)
		})
	})
}

func TestDetached(t *testing.T) {
	type key struct{}
	for name, look := range looks() {
		t.Run("does not end with its parent, whose values it has, when "+name+" before", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				parent, stop := context.WithCancel(context.WithValue(t.Context(), key{}, "v"))
				ctx, cancel := lazyctx.Detached(parent, time.Second)
				look(ctx)
				stop()
				require.NoError(t, ctx.Err())
				require.NoError(t, context.Cause(ctx))
				assert.Equal(t, "v", ctx.Value(key{}))
				deadline, ok := ctx.Deadline()
				assert.True(t, ok)
				assert.Equal(t, time.Second, time.Until(deadline))
				require.NoError(t, ctx.Err())
				cancel()
				ends(t, ctx, context.Canceled, context.Canceled)
			})
		})
	}
}

func TestLimit(t *testing.T) {
	for name, look := range looks() {
		t.Run("ends the context in time with its cause when "+name+" before", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := within(t.Context())
				defer ctx.Cancel(nil)
				ctx.Limit(time.Now().Add(time.Second), errLate)
				look(ctx)
				time.Sleep(time.Second)
				synctest.Wait()
				ctx.Expire()
				assert.Equal(t, errLate, ctx.Cause())
				ends(t, ctx, context.DeadlineExceeded, errLate)
			})
		})
	}

	t.Run("a Cancel before it counts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx := within(t.Context())
			ctx.Limit(time.Now().Add(time.Second), errLate)
			ctx.Cancel(errStop)
			ctx.Expire()
			ends(t, ctx, context.Canceled, errStop)
		})
	})

	t.Run("of the parent counts when it is earlier", func(t *testing.T) {
		soon, late := time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		parent, cancel := context.WithDeadline(t.Context(), soon)
		defer cancel()
		for _, own := range []time.Time{{}, late} {
			ctx := within(parent)
			ctx.Limit(own, errLate)
			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, soon, deadline)
		}
		ctx := within(t.Context())
		ctx.Limit(late, errLate)
		deadline, ok := ctx.Deadline()
		assert.True(t, ok)
		assert.Equal(t, late, deadline)
		_, ok = within(t.Context()).Deadline()
		assert.False(t, ok)
	})
}

func TestContextsDerivedFromItStartNoGoroutine(t *testing.T) {
	ctx := within(t.Context())
	before := runtime.NumGoroutine()
	for range 50 {
		child, cancel := context.WithCancel(context.WithValue(ctx, errStop, 1))
		defer cancel()
		defer context.AfterFunc(child, func() {})()
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before+10, "other tests' may come and go")
	ctx.Cancel(nil)
}

func TestValues(t *testing.T) {
	type key struct{}
	ctx := within(context.WithValue(t.Context(), key{}, "v"))
	assert.Equal(t, "v", ctx.Value(key{}))
	ctx.Done()
	assert.Equal(t, "v", ctx.Value(key{}))
	ctx.Cancel(nil)
	assert.Equal(t, "v", ctx.Value(key{}))
}

func TestManyLookAtOnce(t *testing.T) {
	for range 200 {
		ctx := within(t.Context())
		ended := make(chan error, 8)
		for range cap(ended) {
			go func() { <-ctx.Done(); ended <- ctx.Cause() }()
		}
		ctx.Cancel(errStop)
		for range cap(ended) {
			require.Equal(t, errStop, <-ended)
		}
	}
}

func TestPatience(t *testing.T) {
	const most = 2 * time.Second
	now := time.Now()
	parent, end := context.WithCancelCause(t.Context())
	defer end(nil)
	assertPatience := func(t *testing.T, ctx context.Context, want <-chan struct{}, d time.Duration) {
		t.Helper()
		gone, patience := lazyctx.Patience(ctx, now, most)
		assert.Equal(t, want, gone)
		assert.Equal(t, d, patience)
	}
	t.Run("is the timeout and the end of the parent", func(t *testing.T) {
		ctx, cancel := lazyctx.WithTimeout(parent, time.Second)
		defer cancel()
		assertPatience(t, ctx, parent.Done(), time.Second)
	})
	t.Run("has an upper bound", func(t *testing.T) {
		ctx, cancel := lazyctx.WithTimeout(parent, time.Hour)
		defer cancel()
		assertPatience(t, ctx, parent.Done(), most)
	})
	t.Run("of a detached context is its timeout alone", func(t *testing.T) {
		ctx, cancel := lazyctx.Detached(parent, time.Second)
		defer cancel()
		assertPatience(t, ctx, nil, time.Second)
	})
	t.Run("of a context that was looked at, or is over, or is another, is its end", func(t *testing.T) {
		made, cancel := lazyctx.Detached(parent, time.Second)
		defer cancel()
		made.Done()
		over, stop := lazyctx.Detached(parent, time.Second)
		stop()
		attempt := within(parent)
		defer attempt.Cancel(nil)
		for _, ctx := range []context.Context{made, over, attempt, parent} {
			assertPatience(t, ctx, ctx.Done(), most)
		}
	})
	t.Run("counts from the first look, and what is made then ends with it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := lazyctx.Detached(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			for _, passed := range []time.Duration{0, 400 * time.Millisecond, 2 * time.Second} {
				_, left := lazyctx.Patience(ctx, began.Add(passed), most)
				assert.Equal(t, time.Second-passed, left)
			}
			<-time.After(300 * time.Millisecond)
			<-ctx.Done()
			assert.Equal(t, time.Second, time.Since(began))
		})
	})
	t.Run("tells why the parent ended", func(t *testing.T) {
		ctx, cancel := lazyctx.WithTimeout(parent, time.Second)
		defer cancel()
		gone, _ := lazyctx.Patience(ctx, now, most)
		end(errStop)
		<-gone
		assert.ErrorIs(t, ctx.Err(), context.Canceled)
	})
}
