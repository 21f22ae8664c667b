package worker

// slots counts how many more jobs of a queue may run. They belong to the worker, not
// to a session: a handler that outlives its session keeps its slot. The crew's lock
// guards them.
type slots struct {
	queue string
	free  int
}

// newSlots returns those of the queues that have any.
func newSlots(queues map[string]int) []*slots {
	var all []*slots
	for queue, n := range queues {
		if n > 0 {
			all = append(all, &slots{queue: queue, free: n})
		}
	}
	return all
}

// signal leaves a token in a channel of capacity one, if there is none yet.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
