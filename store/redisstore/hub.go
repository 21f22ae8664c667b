package redisstore

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// subscribePatience is how long a listener waits until Redis has confirmed its
	// channels. Then it goes on without hints until they come.
	subscribePatience = 500 * time.Millisecond
	// livenessInterval is how long a connection may be silent before Redis is asked to
	// answer on it, and how long the answer may take.
	livenessInterval = 3 * time.Second
)

// hub passes on the messages of Redis: one connection for all sessions and watches of
// the store. It is open, and the goroutine that keeps it runs, only while somebody
// listens. Only that goroutine waits for the network: its lock is held for moments.
type hub struct {
	client redis.UniversalClient
	// changed tells the keeper that somebody began or ended to listen.
	changed  chan struct{}
	patience time.Duration
	liveness time.Duration

	mu       sync.Mutex
	kept     bool // the keeper runs
	channels map[string]*channel
	// dirty are the channels that the keeper has to subscribe to, or to leave.
	dirty map[string]struct{}
	// asked counts the subscriptions sent on this connection and not confirmed yet.
	asked map[string]int
	// failing: the latest connection was lost and there is no other yet.
	failing bool
}

// channel is one channel of Redis and those who listen to it.
type channel struct {
	listeners map[*listener]struct{}
	sent      bool // the subscription was sent on this connection
	confirmed bool // and Redis has confirmed it
}

// listener is told of the messages of some channels. That happens with the lock of the
// hub held: hear must not block.
type listener struct {
	channels []string
	hear     func(channel string)

	// settled is closed when the listener need not wait any more. Before, it is not told
	// that a channel was confirmed, afterwards it is: messages may have been lost.
	settled chan struct{}
	waiting bool // settled is open; guarded by the lock of the hub
}

func newHub(client redis.UniversalClient) *hub {
	return &hub{
		client: client, changed: make(chan struct{}, 1),
		patience: subscribePatience, liveness: livenessInterval,
		channels: make(map[string]*channel), dirty: make(map[string]struct{}), asked: make(map[string]int),
	}
}

// add adds a listener. It does not wait.
func (h *hub) add(ctx context.Context, l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l.settled, l.waiting = make(chan struct{}), true
	for _, name := range l.channels {
		c := h.channels[name]
		if c == nil {
			c = &channel{listeners: make(map[*listener]struct{})}
			h.channels[name] = c
			h.dirty[name] = struct{}{}
		}
		c.listeners[l] = struct{}{}
	}
	if h.failing || h.complete(l) {
		l.settle()
	}
	if !h.kept {
		h.kept = true
		go h.keep(context.WithoutCancel(ctx))
	}
	signal(h.changed)
}

// await returns when Redis sends the listener all messages. When that takes too long or
// cannot be for now it returns as well, and the listener hears, as of a message, when it
// comes to be. The error is that of ctx.
func (h *hub) await(ctx context.Context, l *listener) error {
	timer := time.NewTimer(h.patience)
	defer timer.Stop()
	var err error
	select {
	case <-l.settled:
		return nil
	case <-timer.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	l.settle()
	return err
}

// drop removes a listener. It does not wait: when nobody listens any more, the keeper
// closes the connection and ends.
func (h *hub) drop(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range l.channels {
		c := h.channels[name]
		if c == nil {
			continue
		}
		delete(c.listeners, l)
		if len(c.listeners) == 0 {
			delete(h.channels, name)
			h.dirty[name] = struct{}{}
		}
	}
	signal(h.changed)
}

// tell passes a message on.
func (h *hub) tell(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.channels[name]; c != nil {
		for l := range c.listeners {
			l.hear(name)
		}
	}
}

// confirm notes that Redis has confirmed a subscription. The listeners that do not wait
// for it have to look: they have missed what came before.
func (h *hub) confirm(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	// Of several subscriptions to a channel the last one counts: before it the channel
	// may have been left.
	if h.asked[name]--; h.asked[name] > 0 {
		return
	}
	delete(h.asked, name)
	h.failing = false
	c := h.channels[name]
	if c == nil || c.confirmed {
		return
	}
	c.confirmed = true
	for l := range c.listeners {
		switch {
		case !l.waiting:
			l.hear(name)
		case h.complete(l):
			l.settle()
		}
	}
}

// complete reports whether all channels of a listener are confirmed. Call it with mu
// held.
func (h *hub) complete(l *listener) bool {
	for _, name := range l.channels {
		if c := h.channels[name]; c != nil && !c.confirmed {
			return false
		}
	}
	return true
}

// settle ends the wait of a listener. Call it with mu of the hub held.
func (l *listener) settle() {
	if l.waiting {
		l.waiting = false
		close(l.settled)
	}
}

// signal leaves a hint in a channel of capacity 1, unless one is there.
func signal(hints chan struct{}) {
	select {
	case hints <- struct{}{}:
	default:
	}
}
