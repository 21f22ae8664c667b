package ginasync

import "context"

// RunUntil is Run with a context in place of the signals.
func (m *Manager) RunUntil(ctx context.Context, addr string) error {
	return m.run(ctx, addr, func() {})
}
