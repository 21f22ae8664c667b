package redisstore

import (
	"context"
	"fmt"
)

// Watch implements store.Jobs. It waits for at most about a second: while Redis cannot be
// reached, or refuses to subscribe, the watch hears nothing; it is told, as of a change,
// when it hears again. Errors: only that of ctx.
func (s *Store) Watch(ctx context.Context, id string) (<-chan struct{}, error) {
	changes := make(chan struct{}, 1)
	p := s.of(id)
	if s.err != nil || p == nil {
		return changes, s.err // what is no id never changes
	}
	l := &listener{channels: []string{p.watch(id)}, hear: func(string) { signal(changes) }}
	if err := s.listen(ctx, p, id, l); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { s.ignore(id, l) })
	return changes, nil
}

// listen subscribes to the channel of a job and has those who change the job send
// messages, both at the same time. After an error, which is that of ctx, neither is done.
func (s *Store) listen(ctx context.Context, p *partition, id string, l *listener) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("redisstore: %w", err)
	}
	s.hub.add(ctx, l)
	s.watches.add(ctx, p, id)
	if err := s.hub.await(ctx, l); err != nil {
		s.ignore(id, l)
		return fmt.Errorf("redisstore: %w", err)
	}
	return nil
}

// ignore ends what listen began.
func (s *Store) ignore(id string, l *listener) {
	s.hub.drop(l)
	s.watches.drop(id)
}
