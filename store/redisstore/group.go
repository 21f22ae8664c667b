package redisstore

import (
	"context"
	"slices"
	"sync"
)

const (
	// groupMembers and groupBytes bound what goes to Redis in one call, so that one
	// call does not keep others waiting for long. A larger member goes alone.
	groupMembers = 128
	groupBytes   = 1 << 20
)

// group sends in one call what waits together. A lone member is sent at once; those
// that come while a call is under way wait for it and go together in the next. Members
// keep the order in which they came. The zero value with send set is ready.
type group[In sized, Out any] struct {
	// send makes one call and puts the answers into its members, none of which it keeps.
	// After an error it may go on reading from them.
	send func(ctx context.Context, members []*member[In, Out]) error

	used sync.Pool // members that were answered

	mu      sync.Mutex
	waiting []*member[In, Out]
	sending bool
	// sent holds the members of the call that is under way.
	sent []*member[In, Out]
}

// sized is what a group can hold; size is about how many bytes it sends.
type sized interface{ size() int }

// member is one caller's part of a call.
type member[In, Out any] struct {
	in   In
	out  Out
	err  error
	done chan struct{} // with room for one
}

// do sends in and returns its answer. When ctx ends before, the member may be on its
// way already, so in must not share memory with the caller; one that still waits is not
// sent any more.
func (g *group[In, Out]) do(ctx context.Context, in In) (Out, error) {
	var none Out
	if err := ctx.Err(); err != nil {
		return none, err
	}
	m, _ := g.used.Get().(*member[In, Out])
	if m == nil {
		m = &member[In, Out]{done: make(chan struct{}, 1)}
	}
	m.in = in
	g.join(ctx, m)
	select {
	case <-m.done:
	case <-ctx.Done():
		g.leave(m)
		return none, ctx.Err()
	}
	out, err := m.out, m.err
	if err == nil {
		*m = member[In, Out]{done: m.done}
		g.used.Put(m)
	}
	return out, err
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

// join adds a member and begins to send unless somebody does.
func (g *group[In, Out]) join(ctx context.Context, m *member[In, Out]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, m)
	if !g.sending {
		g.sending = true
		go g.work(context.WithoutCancel(ctx))
	}
}

// work sends until nothing waits.
func (g *group[In, Out]) work(ctx context.Context) {
	for members := g.take(); len(members) > 0; members = g.take() {
		err := g.send(ctx, members)
		for _, m := range members {
			m.err = err
			m.done <- struct{}{}
		}
	}
}

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
	g.sending = n > 0
	return g.sent
}
