package redisstore

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// shortestPause and longestPause are between two connections of the hub.
	shortestPause = 50 * time.Millisecond
	longestPause  = 2 * time.Second
)

// keep keeps a connection for the hub while somebody listens.
func (h *hub) keep(ctx context.Context) {
	pause := shortestPause
	for h.wanted() {
		began := time.Now()
		if lost := h.connect(ctx); !lost {
			continue
		}
		h.lost(ctx)
		if time.Since(began) > longestPause { // it is no server that ends each at once
			pause = shortestPause
		}
		h.rest(pause)
		pause = min(2*pause, longestPause)
	}
}

// wanted reports whether somebody listens. If not, the keeper has ended.
func (h *hub) wanted() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = len(h.channels) > 0
	h.failing = h.failing && h.kept
	clear(h.asked)
	return h.kept
}

// lost notes that there is no connection: whoever listens goes on without hints, and is
// told when they come again.
func (h *hub) lost(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failing = true
	for name, c := range h.channels {
		c.sent, c.confirmed = false, false
		h.dirty[name] = struct{}{}
		for l := range c.listeners {
			l.settle()
		}
	}
	// A Cluster client would look for new masters only after a while.
	if c, ok := h.client.(reloader); ok {
		c.ReloadState(ctx)
	}
}

// rest waits for about d, or until nobody listens.
func (h *hub) rest(d time.Duration) {
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	for h.listens() {
		select {
		case <-timer.C:
			return
		case <-h.changed:
		}
	}
}

func (h *hub) listens() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.channels) > 0
}

// line is one connection. go-redis would mend it by itself, but forget channels on the
// way and keep everybody waiting meanwhile; so a line is used until its first error.
type line struct {
	hub    *hub
	pubsub *redis.PubSub
	heard  atomic.Bool   // something came since this was last asked
	ended  chan struct{} // closed when nothing comes any more
}

// connect opens a connection and returns when it is lost (or was not to be had) or nobody
// listens any more.
func (h *hub) connect(ctx context.Context) (lost bool) {
	names, _ := h.work()
	if len(names) == 0 {
		return false
	}
	l := &line{hub: h, pubsub: h.client.Subscribe(ctx), ended: make(chan struct{})}
	opening, cancel := context.WithTimeout(ctx, longestCall)
	defer cancel()
	// This connects. Of a Cluster it is the server of the first channel, so another one
	// each time.
	if err := l.pubsub.Subscribe(opening, names...); err != nil {
		_ = l.pubsub.Close()
		return true
	}
	go l.receive(ctx)
	lost = l.maintain(ctx)
	_ = l.pubsub.Close() // this ends receive
	<-l.ended
	return lost
}

// receive passes on what comes, until the connection is lost or closed.
func (l *line) receive(ctx context.Context) {
	defer close(l.ended)
	over, cancel := context.WithCancel(ctx)
	cancel() // it receives nevertheless, but does not connect anew
	for {
		message, err := l.pubsub.Receive(over)
		if err != nil {
			return
		}
		l.heard.Store(true)
		switch m := message.(type) {
		case *redis.Message:
			l.hub.tell(m.Channel)
		case *redis.Subscription:
			if m.Kind == "subscribe" {
				l.hub.confirm(m.Channel)
			}
		}
	}
}

// maintain subscribes to what is listened to, until the connection is lost or nobody
// listens. A connection whose other end is gone without a word is lost too: now and then
// Redis has to answer.
func (l *line) maintain(ctx context.Context) (lost bool) {
	ticks := time.NewTicker(l.hub.liveness)
	defer ticks.Stop()
	probed := false
	for {
		var err error
		select {
		case <-l.ended:
			return true
		case <-l.hub.changed:
			if !l.hub.listens() {
				return false
			}
			err = l.update(ctx)
		case <-ticks.C:
			silent := !l.heard.Swap(false)
			if silent && probed {
				return true
			}
			if probed = silent; silent {
				err = l.probe(ctx)
			}
		}
		if err != nil {
			return true
		}
	}
}

// update subscribes to the channels that are new and leaves those that nobody needs.
func (l *line) update(ctx context.Context) error {
	fresh, unused := l.hub.work()
	over := written(ctx)
	if len(fresh) > 0 {
		if err := l.pubsub.Subscribe(over, fresh...); err != nil {
			return err
		}
	}
	if len(unused) > 0 {
		return l.pubsub.Unsubscribe(over, unused...)
	}
	return nil
}

// probe makes Redis answer: it confirms a subscription that is there already. Unlike
// PING, no user of Redis who may subscribe is refused that.
func (l *line) probe(ctx context.Context) error {
	name, ok := l.hub.again()
	if !ok {
		return nil
	}
	return l.pubsub.Subscribe(written(ctx), name)
}

// written returns a context for a write on a connection that is open. It limits the time
// and is over: so go-redis writes, but does not connect anew.
func written(ctx context.Context) context.Context {
	ctx, cancel := context.WithTimeout(ctx, longestCall)
	cancel()
	return ctx
}

// work returns the channels to subscribe to and those to leave, which then are done.
func (h *hub) work() (fresh, unused []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name := range h.dirty {
		c := h.channels[name]
		switch {
		case c == nil:
			unused = append(unused, name)
		case !c.sent:
			c.sent = true
			h.asked[name]++
			fresh = append(fresh, name)
		}
	}
	clear(h.dirty)
	return fresh, unused
}

// again returns one of the channels subscribed to, to be confirmed once more.
func (h *hub) again() (name string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, c := range h.channels {
		if c.sent {
			h.asked[name]++
			return name, true
		}
	}
	return "", false
}
