package worker

import "sync"

// slots counts, for each queue, how many more jobs may run. It belongs to the
// worker, not to a session: a handler that outlives its session keeps its slot.
type slots struct {
	// freed receives after slots were put back.
	freed chan struct{}

	mu   sync.Mutex
	free map[string]int
}

func newSlots(queues map[string]int) *slots {
	s := &slots{freed: make(chan struct{}, 1), free: make(map[string]int, len(queues))}
	for queue, n := range queues {
		s.free[queue] = n
	}
	return s
}

// left returns how many jobs of the queue may be claimed.
func (s *slots) left(queue string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.free[queue]
}

func (s *slots) take(queue string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free[queue]--
}

func (s *slots) put(queue string) {
	s.mu.Lock()
	s.free[queue]++
	s.mu.Unlock()
	signal(s.freed)
}

// signal leaves a token in a channel of capacity one, if there is none yet.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
