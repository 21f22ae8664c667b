package ginasync

import (
	"context"

	"github.com/asyncendpoints/gin-async/store"
)

// isLocal reports whether a store says that no job leaves the process.
func isLocal(s store.Store) bool {
	local, ok := s.(store.Local)
	return ok && local.Local()
}

// passOnAdvice logs what the store says of its surroundings. It waits no longer than
// any call to the store may take: a client of a server that is away may not mind a
// context, so the call goes on by itself then.
func (m *Manager) passOnAdvice(ctx context.Context) {
	advisor, ok := m.store.(store.Advisor)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	told := make(chan []string, 1)
	go func() { told <- advisor.Advice(ctx) }()
	select {
	case sentences := <-told:
		for _, sentence := range sentences {
			m.log.Warn("ginasync: the store is not safe as it is set up", "advice", sentence)
		}
	case <-ctx.Done():
	}
}
