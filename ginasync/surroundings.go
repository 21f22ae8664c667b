package ginasync

import (
	"context"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// isLocal reports whether a store says that no job leaves the process.
func isLocal(s store.Store) bool {
	local, ok := s.(store.Local)
	return ok && local.Local()
}

// advicePatience is how long Start waits for advice: a store that is away must not keep a
// service from answering.
const advicePatience = time.Second

// passOnAdvice logs what the store says of its surroundings. A client of a server that is
// away may not mind a context, so the call goes on by itself when the time is over.
func (m *Manager) passOnAdvice(ctx context.Context) {
	advisor, ok := m.store.(store.Advisor)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, advicePatience)
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
