package redisstore

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// ear is what listens for a session. It closes by itself when the session is not
// renewed any more: a worker that has lost its session need not leave it.
type ear struct {
	mu       sync.Mutex
	listener *listener // nil: closed
	deaf     *time.Timer
}

// listen makes the ear hear what concerns the seats there are now, for two leases.
func (x *session) listen(ctx context.Context) error {
	stops := make(map[string]bool)
	var channels []string
	for i := range x.seats {
		if seat := x.seats[i].Load(); seat != nil {
			channels = append(channels, seat.partition.arrived(), seat.keys.stop)
			stops[seat.keys.stop] = true
		}
	}
	fresh := &listener{channels: channels, hear: func(channel string) {
		if stops[channel] {
			signal(x.stopAsked)
			return
		}
		x.turn.Store(int32(x.store.indexOf(channel)))
		signal(x.arrived)
	}}
	return x.ear.open(ctx, x.store, fresh, 2*x.lease)
}

// open replaces the listener unless it listens to the same already, and waits a moment
// until the new one hears. Without hints the session works too, only later: the error is
// that of ctx.
func (e *ear) open(ctx context.Context, s *Store, fresh *listener, patience time.Duration) error {
	if !e.turn(ctx, s.hub, fresh, patience) {
		return nil
	}
	return s.hub.await(ctx, fresh)
}

// turn is open without the wait. It reports whether the listener is a new one.
func (e *ear) turn(ctx context.Context, h *hub, fresh *listener, patience time.Duration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listener != nil && slices.Equal(e.listener.channels, fresh.channels) {
		e.deaf.Reset(patience)
		return false
	}
	h.add(ctx, fresh) // before the old one goes, so that the connection stays
	e.shut(h)
	e.listener = fresh
	e.deaf = time.AfterFunc(patience, func() { e.closeFor(fresh, h) })
	return true
}

// close ends the listening. It does not wait, so it needs no context.
func (e *ear) close(_ context.Context, h *hub) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shut(h)
}

// closeFor is close, unless another listener has come.
func (e *ear) closeFor(l *listener, h *hub) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listener == l {
		e.shut(h)
	}
}

// shut is close with mu held.
func (e *ear) shut(h *hub) {
	if e.listener == nil {
		return
	}
	e.deaf.Stop()
	h.drop(e.listener)
	e.listener = nil
}

// indexOf returns the index of the partition that a channel belongs to.
func (s *Store) indexOf(channel string) int {
	name := strings.TrimPrefix(channel, s.prefix+":{")
	return max(strings.IndexByte(letters, name[0]), 0)
}
