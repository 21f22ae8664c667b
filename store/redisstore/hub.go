package redisstore

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// hub passes on the messages of Redis: one connection for all sessions and watches of
// the store. It is open, and its goroutine runs, only while somebody listens.
type hub struct {
	client redis.UniversalClient

	mu       sync.Mutex
	pubsub   *redis.PubSub // nil: nobody listens
	channels map[string]*channel
}

// channel is one channel of Redis and those who listen to it.
type channel struct {
	listeners map[*listener]struct{}
	// ready is closed when Redis has confirmed the subscription.
	ready     chan struct{}
	confirmed bool
}

// listener is told of the messages of some channels, in the goroutine of the hub: it
// must not block.
type listener struct {
	channels []string
	hear     func(channel string)
}

func newHub(client redis.UniversalClient) *hub {
	return &hub{client: client, channels: make(map[string]*channel)}
}

// listen adds a listener and returns when Redis will send it all messages. After an
// error it is not added.
func (h *hub) listen(ctx context.Context, l *listener) error {
	waits, err := h.add(ctx, l)
	for _, ready := range waits {
		if err != nil {
			break
		}
		select {
		case <-ready:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		h.drop(ctx, l)
	}
	return err
}

func (h *hub) add(ctx context.Context, l *listener) ([]chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var fresh []string
	var waits []chan struct{}
	for _, name := range l.channels {
		c := h.channels[name]
		if c == nil {
			c = &channel{listeners: make(map[*listener]struct{}), ready: make(chan struct{})}
			h.channels[name] = c
			fresh = append(fresh, name)
		}
		c.listeners[l] = struct{}{}
		waits = append(waits, c.ready)
	}
	return waits, h.subscribe(ctx, fresh)
}

// subscribe asks Redis for more channels. Call it with mu held.
func (h *hub) subscribe(ctx context.Context, names []string) error {
	if h.pubsub != nil {
		if len(names) == 0 {
			return nil
		}
		return h.pubsub.Subscribe(ctx, names...)
	}
	h.pubsub = h.client.Subscribe(ctx)
	// The first channel decides which server of a Cluster it is, so it comes first.
	err := h.pubsub.Subscribe(ctx, names...)
	go h.pass(h.pubsub.ChannelWithSubscriptions())
	return err
}

// drop removes a listener. When nobody listens any more, the connection is closed.
func (h *hub) drop(ctx context.Context, l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var unused []string
	for _, name := range l.channels {
		c := h.channels[name]
		if c == nil {
			continue
		}
		delete(c.listeners, l)
		if len(c.listeners) == 0 {
			delete(h.channels, name)
			unused = append(unused, name)
		}
	}
	switch {
	case h.pubsub == nil:
	case len(h.channels) == 0:
		_ = h.pubsub.Close() // this ends the goroutine
		h.pubsub = nil
	case len(unused) > 0:
		// If it fails, the messages of these channels find no listener.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = h.pubsub.Unsubscribe(ctx, unused...)
	}
}

// pass tells the listeners until the connection is closed.
func (h *hub) pass(messages <-chan any) {
	for message := range messages {
		switch m := message.(type) {
		case *redis.Message:
			h.tell(m.Channel)
		case *redis.Subscription:
			if m.Kind == "subscribe" {
				h.subscribed(m.Channel)
			}
		}
	}
}

// subscribed notes that Redis has confirmed a channel. When it did so before, there
// was a new connection: messages may be lost, so the listeners have to look.
func (h *hub) subscribed(name string) {
	if h.confirm(name) {
		h.tell(name)
	}
}

func (h *hub) confirm(name string) (again bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.channels[name]
	switch {
	case c == nil:
		return false
	case c.confirmed:
		return true
	}
	c.confirmed = true
	close(c.ready)
	return false
}

func (h *hub) tell(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.channels[name]; c != nil {
		for l := range c.listeners {
			l.hear(name)
		}
	}
}

// signal leaves a hint in a channel of capacity 1, unless one is there.
func signal(hints chan struct{}) {
	select {
	case hints <- struct{}{}:
	default:
	}
}
