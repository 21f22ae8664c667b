package redisstore

import (
	"context"
	"fmt"
)

// Watch implements store.Jobs. It waits for at most half a second: while Redis cannot be
// reached, or refuses to subscribe, the watch hears nothing; it is told, as of a change,
// when it hears again. Errors: only that of ctx.
func (s *Store) Watch(ctx context.Context, id string) (<-chan struct{}, error) {
	changes := make(chan struct{}, 1)
	p := s.of(id)
	if s.err != nil || p == nil {
		return changes, s.err // what is no id never changes
	}
	l := &listener{channels: []string{p.watch(id)}, hear: func(string) { signal(changes) }}
	if err := s.listen(ctx, l); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { s.hub.drop(l) })
	return changes, nil
}

// listen adds a listener. After an error, which is that of ctx, it is not added.
func (s *Store) listen(ctx context.Context, l *listener) error {
	err := ctx.Err()
	if err == nil {
		s.hub.add(ctx, l)
		err = s.hub.await(ctx, l)
	}
	if err != nil {
		s.hub.drop(l)
		return fmt.Errorf("redisstore: %w", err)
	}
	return nil
}
