package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
)

// parcel is a member that claims to be of a size.
type parcel struct {
	n, bytes int
}

func (p parcel) size() int { return p.bytes }

// courier is the send of a group. Each call takes a second, or how long it is told to.
type courier struct {
	mu    sync.Mutex
	calls [][]int
	fail  error
	takes time.Duration

	panics bool
}

func (c *courier) send(_ context.Context, members []*member[parcel, string]) error {
	if c.panics {
		panic("a hook")
	}
	var call []int
	for _, m := range members {
		call = append(call, m.in.n)
		m.out = fmt.Sprint("answer ", m.in.n)
	}
	c.mu.Lock()
	c.calls = append(c.calls, call)
	c.mu.Unlock()
	<-time.After(c.takes)
	return c.fail
}

// detached is a context that can only end by its timeout.
func detached(t *testing.T) context.Context {
	ctx, cancel := lazyctx.Detached(t.Context(), time.Hour)
	t.Cleanup(cancel)
	return ctx
}

// give sends members one after the other, each by a caller of its own.
func give(ctx context.Context, g *group[parcel, string], parcels ...parcel) []error {
	errs := make([]error, len(parcels))
	var all sync.WaitGroup
	for i, p := range parcels {
		all.Go(func() {
			answer, err := g.do(ctx, p)
			if err == nil && answer != fmt.Sprint("answer ", p.n) {
				err = errors.New("somebody else's answer: " + answer)
			}
			errs[i] = err
		})
		synctest.Wait()
	}
	all.Wait()
	return errs
}

func numbered(n int) []parcel {
	var parcels []parcel
	for i := range n {
		parcels = append(parcels, parcel{i, 1})
	}
	return parcels
}

func TestGroup(t *testing.T) {
	for name, test := range map[string]func(t *testing.T, c *courier, g *group[parcel, string]){
		"a lone member goes at once": func(t *testing.T, c *courier, g *group[parcel, string]) {
			began := time.Now()
			assert.NoError(t, errors.Join(give(t.Context(), g, parcel{7, 1})...))
			assert.Equal(t, time.Second, time.Since(began))
			assert.Equal(t, [][]int{{7}}, c.calls)
		},
		"what waits together goes in one call, in its order": func(t *testing.T, c *courier, g *group[parcel, string]) {
			assert.NoError(t, errors.Join(give(t.Context(), g, numbered(6)...)...))
			assert.Equal(t, [][]int{{0}, {1, 2, 3, 4, 5}}, c.calls)
		},
		"a call is bounded in number": func(t *testing.T, c *courier, g *group[parcel, string]) {
			assert.NoError(t, errors.Join(give(t.Context(), g, numbered(2+groupMembers)...)...))
			require.Len(t, c.calls, 3)
			assert.Len(t, c.calls[1], groupMembers)
			assert.Equal(t, []int{1 + groupMembers}, c.calls[2])
		},
		"a call is bounded in bytes, and what is larger goes alone": func(t *testing.T, c *courier, g *group[parcel, string]) {
			sizes := []int{1, groupBytes / 2, groupBytes / 2, 1, 2 * groupBytes, 1}
			var parcels []parcel
			for i, bytes := range sizes {
				parcels = append(parcels, parcel{i, bytes})
			}
			assert.NoError(t, errors.Join(give(t.Context(), g, parcels...)...))
			assert.Equal(t, [][]int{{0}, {1, 2}, {3}, {4}, {5}}, c.calls)
		},
		"an error reaches each caller of the call": func(t *testing.T, c *courier, g *group[parcel, string]) {
			c.fail = errors.New("no server")
			for _, err := range give(t.Context(), g, numbered(4)...) {
				assert.ErrorIs(t, err, c.fail)
			}
		},
		"after an error the next call is made": func(t *testing.T, c *courier, g *group[parcel, string]) {
			c.fail = errors.New("no server")
			assert.Error(t, errors.Join(give(t.Context(), g, parcel{1, 1})...))
			c.fail = nil
			assert.NoError(t, errors.Join(give(t.Context(), g, parcel{2, 1})...))
		},
		"a caller whose context ends goes, the others keep their answers": func(t *testing.T, c *courier, g *group[parcel, string]) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
			defer cancel()
			var gone error
			var all sync.WaitGroup
			all.Go(func() { _, gone = g.do(ctx, parcel{1, 1}) })
			synctest.Wait()
			all.Go(func() { assert.NoError(t, errors.Join(give(t.Context(), g, parcel{2, 1}, parcel{3, 1})...)) })
			all.Wait()
			assert.ErrorIs(t, gone, context.DeadlineExceeded)
			assert.Equal(t, [][]int{{1}, {2, 3}}, c.calls)
		},
		"what waits is not sent when its caller waits no more": func(t *testing.T, c *courier, g *group[parcel, string]) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
			defer cancel()
			var all sync.WaitGroup
			send := func(ctx context.Context, n int, want error) {
				all.Go(func() {
					_, err := g.do(ctx, parcel{n, 1})
					assert.ErrorIs(t, err, want)
				})
				synctest.Wait()
			}
			send(t.Context(), 1, nil)
			send(ctx, 2, context.DeadlineExceeded)
			send(t.Context(), 3, nil)
			all.Wait()
			assert.Equal(t, [][]int{{1}, {3}}, c.calls)
		},
		"a caller whose context is over sends nothing": func(t *testing.T, c *courier, g *group[parcel, string]) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			assert.ErrorIs(t, errors.Join(give(ctx, g, parcel{1, 1})...), context.Canceled)
			assert.Empty(t, c.calls)
		},
		"a caller with a lazy context makes the call itself, and does not wait for the next": func(t *testing.T, c *courier, g *group[parcel, string]) {
			var all sync.WaitGroup
			for n := range 3 {
				all.Go(func() {
					began := time.Now()
					answer, err := g.do(detached(t), parcel{n, 1})
					assert.NoError(t, err)
					assert.Equal(t, fmt.Sprint("answer ", n), answer)
					assert.Equal(t, time.Duration(min(n, 1)+1)*time.Second, time.Since(began))
				})
				synctest.Wait()
			}
			all.Wait()
			assert.Equal(t, [][]int{{0}, {1, 2}}, c.calls)
		},
		"a call that panics fails for all, and the next is made": func(t *testing.T, c *courier, g *group[parcel, string]) {
			c.panics = true
			var all sync.WaitGroup
			other := &member[parcel, string]{in: parcel{9, 1}, done: make(chan error, 1)}
			g.join(other, time.Now().Add(time.Minute)) // it has come as the other one began
			g.sending = false
			all.Go(func() { assert.ErrorIs(t, <-other.done, errPanicked) })
			assert.Panics(t, func() { _, _ = g.do(detached(t), parcel{1, 1}) }, "it makes the call itself")
			all.Wait()
			c.panics = false
			assert.NoError(t, errors.Join(give(detached(t), g, parcel{2, 1}, parcel{3, 1})...))
			assert.Equal(t, [][]int{{2}, {3}}, c.calls)
		},
		"a caller that has less time does not make the call": func(t *testing.T, c *courier, g *group[parcel, string]) {
			ctx, cancel := lazyctx.Detached(t.Context(), time.Second/2)
			defer cancel()
			began := time.Now()
			_, err := g.do(ctx, parcel{1, 1})
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, time.Second/2, time.Since(began))
			<-time.After(time.Second)
		},
		"an answer that comes too late is nobody's": func(t *testing.T, c *courier, g *group[parcel, string]) {
			ctx, cancel := lazyctx.WithTimeout(t.Context(), time.Second/2)
			defer cancel()
			_, err := g.do(ctx, parcel{1, 1})
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.NoError(t, errors.Join(give(t.Context(), g, numbered(3)...)...))
			assert.Equal(t, [][]int{{1}, {0, 1, 2}}, c.calls)
		},
		"calls that may take longer are not made by callers": func(t *testing.T, c *courier, g *group[parcel, string]) {
			g.apart, g.patience, c.takes = true, time.Second, time.Minute
			began := time.Now()
			_, err := g.do(detached(t), parcel{1, 1})
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, time.Second, time.Since(began))
			<-time.After(time.Minute)
		},
		"nobody waits longer than the patience, or a lazy context, allows": func(t *testing.T, c *courier, g *group[parcel, string]) {
			g.patience, c.takes = 3*time.Second, 20*time.Second
			var all sync.WaitGroup
			send := func(n int, lazy, want time.Duration) {
				all.Go(func() {
					ctx, cancel := lazyctx.WithTimeout(t.Context(), lazy)
					defer cancel()
					began := time.Now()
					_, err := g.do(ctx, parcel{n, 1})
					assert.ErrorIs(t, err, context.DeadlineExceeded)
					assert.Equal(t, want, time.Since(began))
					if lazy < time.Hour {
						_, err = g.do(ctx, parcel{n, 1})
						assert.ErrorIs(t, err, context.DeadlineExceeded, "its time is over")
						assert.Equal(t, want, time.Since(began))
					}
				})
				synctest.Wait()
			}
			send(1, time.Hour, 3*time.Second)     // its call is under way
			send(2, 3*time.Second, 3*time.Second) // it waits behind that
			send(3, 500*time.Millisecond, 500*time.Millisecond)
			<-time.After(time.Second)
			send(4, 2500*time.Millisecond, 2500*time.Millisecond)
			<-time.After(5 * time.Second) // all have gone
			send(5, 2*time.Second, 2*time.Second)
			all.Wait()
			<-time.After(20 * time.Second)
			assert.Equal(t, [][]int{{1}}, c.calls, "what nobody waits for is not sent")
			c.takes = time.Second
			assert.NoError(t, errors.Join(give(t.Context(), g, parcel{6, 1}, parcel{7, 1})...))
			assert.Equal(t, [][]int{{1}, {6}, {7}}, c.calls)
		},
		"the order of one caller is kept under load": func(t *testing.T, c *courier, g *group[parcel, string]) {
			var all sync.WaitGroup
			for caller := range 5 {
				all.Go(func() {
					for i := range 20 {
						_, err := g.do(t.Context(), parcel{caller*100 + i, 1})
						assert.NoError(t, err)
					}
				})
			}
			all.Wait()
			var sent []int
			for _, call := range c.calls {
				sent = append(sent, call...)
			}
			assert.Len(t, sent, 100)
			for caller := range 5 {
				own := slices.DeleteFunc(slices.Clone(sent), func(n int) bool { return n/100 != caller })
				assert.IsIncreasing(t, own)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			// The end of the bubble shows that no goroutine is left.
			synctest.Test(t, func(t *testing.T) {
				c := &courier{takes: time.Second}
				test(t, c, &group[parcel, string]{send: c.send, patience: time.Minute})
			})
		})
	}
}
