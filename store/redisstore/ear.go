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

// open replaces the listener unless it listens to the same already.
func (e *ear) open(ctx context.Context, s *Store, fresh *listener, patience time.Duration) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listener != nil && slices.Equal(e.listener.channels, fresh.channels) {
		e.deaf.Reset(patience)
		return nil
	}
	if err := s.listen(ctx, fresh); err != nil {
		return err
	}
	e.shut(ctx, s.hub)
	e.listener = fresh
	unheard := context.WithoutCancel(ctx)
	e.deaf = time.AfterFunc(patience, func() { e.close(unheard, s.hub) })
	return nil
}

func (e *ear) close(ctx context.Context, h *hub) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shut(ctx, h)
}

// shut is close with mu held.
func (e *ear) shut(ctx context.Context, h *hub) {
	if e.listener == nil {
		return
	}
	e.deaf.Stop()
	h.drop(ctx, e.listener)
	e.listener = nil
}

// indexOf returns the index of the partition that a channel belongs to.
func (s *Store) indexOf(channel string) int {
	name := strings.TrimPrefix(channel, s.prefix+":{")
	return max(strings.IndexByte(letters, name[0]), 0)
}
