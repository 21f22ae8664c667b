package redisstore

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
)

const (
	// groupMembers and groupBytes bound what goes to Redis in one call, so that one
	// call does not keep others waiting for long. A larger member goes alone.
	groupMembers = 128
	groupBytes   = 1 << 20
)

// group sends in one call what waits together. A lone member is sent at once; those
// that come while a call is under way wait for it and go together in the next. Members
// keep the order in which they came. The zero value with send and patience set is ready.
type group[In sized, Out any] struct {
	// send makes one call and puts the answers into its members, none of which it keeps.
	// After an error it may go on reading from them.
	send func(ctx context.Context, members []*member[In, Out]) error
	// patience is how long a caller waits at most.
	patience time.Duration
	// apart: calls may take longer than the patience, so no caller makes them itself.
	apart bool

	used sync.Pool // members that were answered

	mu      sync.Mutex
	waiting []*member[In, Out]
	sending bool
	// sent holds the members of the call that is under way.
	sent []*member[In, Out]
	// late runs at lateAt, when a caller has waited for long enough; zero: it does not.
	late   *time.Timer
	lateAt time.Time
}

// sized is what a group can hold; size is about how many bytes it sends.
type sized interface{ size() int }

// member is one caller's part of a call.
type member[In, Out any] struct {
	in       In
	out      Out
	done     chan error // with room for one
	answered atomic.Bool
	// deadline is when its caller waits no more; the lock of the group guards it.
	deadline time.Time
}

// answer lets the caller go. Only the first answer counts.
func (m *member[In, Out]) answer(err error) {
	if m.answered.CompareAndSwap(false, true) {
		m.done <- err
	}
}

// do sends in and returns its answer. When the caller goes before, the member may be on
// its way already, so in must not share memory with the caller; one that still waits is
// not sent any more.
func (g *group[In, Out]) do(ctx context.Context, in In) (Out, error) {
	var none Out
	if err := ctx.Err(); err != nil {
		return none, err
	}
	now := time.Now()
	gone, patience := lazyctx.Patience(ctx, now, g.patience)
	if patience <= 0 {
		return none, context.DeadlineExceeded
	}
	m, _ := g.used.Get().(*member[In, Out])
	if m == nil {
		m = &member[In, Out]{done: make(chan error, 1)}
	}
	m.in = in
	if g.join(m, now.Add(patience)) {
		// A caller who would not go before the call is over makes it. The client has a
		// deadline for that; a hook of the client that hangs holds this caller up.
		if values := context.WithoutCancel(ctx); gone == nil && patience == g.patience && !g.apart {
			g.lead(values)
		} else {
			go g.work(values)
		}
	}
	if err := g.wait(ctx, m, gone); err != nil {
		return none, err
	}
	out := m.out
	m.in, m.out = *new(In), none
	g.used.Put(m)
	return out, nil
}

// wait returns when the member is answered or its caller gone. After an error the member
// may still be in use.
func (g *group[In, Out]) wait(ctx context.Context, m *member[In, Out], gone <-chan struct{}) error {
	if gone == nil {
		return <-m.done
	}
	select {
	case err := <-m.done:
		return err
	case <-gone:
		g.leave(m)
		return ctx.Err()
	}
}

// join adds a member, and reports whether the caller has to begin to send, as nobody does.
func (g *group[In, Out]) join(m *member[In, Out], deadline time.Time) (leads bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m.deadline = deadline
	m.answered.Store(false)
	g.waiting = append(g.waiting, m)
	g.watch(deadline)
	leads = !g.sending
	g.sending = true
	return leads
}

// leave has the member not sent if it still waits: after an outage nobody wants what
// piled up meanwhile.
func (g *group[In, Out]) leave(m *member[In, Out]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, m); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
}

// errPanicked is what those get whose call ended in a panic, of a hook of the client say. It
// may have been made.
var errPanicked = errors.New("redisstore: the call ended in a panic")

// lead sends what waits in the goroutine of a caller, which saves waking another one. What
// comes meanwhile is not for this caller to wait for.
func (g *group[In, Out]) lead(ctx context.Context) {
	letOthersJoin()
	members := g.take()
	if len(members) == 0 {
		return
	}
	err := errPanicked
	defer func() {
		answer(members, err)
		g.handOver(ctx)
	}()
	err = g.send(ctx, members)
}

// handOver lets another goroutine send what has come meanwhile.
func (g *group[In, Out]) handOver(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) > 0 {
		go g.work(ctx)
	} else {
		g.rest()
	}
}

// work sends until nothing waits.
func (g *group[In, Out]) work(ctx context.Context) {
	letOthersJoin()
	for members := g.take(); len(members) > 0; members = g.take() {
		answer(members, g.send(ctx, members))
	}
}

func answer[In, Out any](members []*member[In, Out], err error) {
	for _, m := range members {
		m.answer(err)
	}
}

// letOthersJoin gives way to the goroutines that are ready to run: what they bring goes
// with the first call. When there are none it returns at once.
func letOthersJoin() { runtime.Gosched() }

// take removes the members of the next call; none: the work is over.
func (g *group[In, Out]) take() []*member[In, Out] {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, bytes := 0, 0
	for n < len(g.waiting) && n < groupMembers {
		bytes += g.waiting[n].in.size()
		if n > 0 && bytes > groupBytes {
			break
		}
		n++
	}
	clear(g.sent)
	g.sent = append(g.sent[:0], g.waiting[:n]...)
	g.waiting = slices.Delete(g.waiting, 0, n)
	if n == 0 {
		g.rest()
	}
	return g.sent
}
