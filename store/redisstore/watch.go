package redisstore

import "context"

// Watch implements store.Jobs. While Redis cannot be reached a watch hears nothing; it
// is told, as of a change, when the connection is back.
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
	context.AfterFunc(ctx, func() { s.hub.drop(ctx, l) })
	return changes, nil
}

// listen adds a listener within the time of a call.
func (s *Store) listen(ctx context.Context, l *listener) error {
	ctx, cancel := context.WithTimeout(ctx, longestCall)
	defer cancel()
	return s.failure(ctx, s.hub.listen(ctx, l))
}
