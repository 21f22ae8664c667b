package memstore

import "context"

// watches are the channels of those who watch, by job.
type watches map[string]map[chan struct{}]struct{}

// Watch implements store.Jobs. Removing the job counts as a change. A watch
// costs nothing until the job changes; only the end of ctx ends it.
func (s *Store) Watch(ctx context.Context, id string) (<-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := make(chan struct{}, 1)
	s.mu.Lock()
	s.watches.add(id, c)
	s.mu.Unlock()
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.watches.remove(id, c)
	})
	return c, nil
}

func (w watches) add(id string, c chan struct{}) {
	if w[id] == nil {
		w[id] = make(map[chan struct{}]struct{})
	}
	w[id][c] = struct{}{}
}

func (w watches) remove(id string, c chan struct{}) {
	delete(w[id], c)
	if len(w[id]) == 0 {
		delete(w, id)
	}
}

// tell wakes all who watch the job.
func (w watches) tell(id string) {
	if len(w) == 0 {
		return
	}
	for c := range w[id] {
		signal(c)
	}
}
