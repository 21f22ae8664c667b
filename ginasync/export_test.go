package ginasync

import (
	"context"
	"net/http"
)

// RunUntil is Run with a context in place of the signals.
func (m *Manager) RunUntil(ctx context.Context, addr string) error {
	return m.run(ctx, addr, func() {})
}

// Watchers is how many requests wait for a job.
func (m *Manager) Watchers() int {
	m.watching.mu.Lock()
	defer m.watching.mu.Unlock()
	return m.watching.watchers
}

// WithWebhookTransport changes what webhooks are sent with.
func WithWebhookTransport(change func(*http.Transport)) Option {
	return func(c *config) { c.webhooks.transport = change }
}

// Names that only tests need to know.
const (
	DeliveryRoute = deliveryRoute
	LookoutRoute  = lookoutRoute
	DeliveryOwner = deliveryOwner
	LookoutOwner  = lookoutOwner
)
