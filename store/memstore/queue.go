package memstore

import (
	"container/heap"
	"time"
)

// queue holds the waiting jobs of one name. It lives as long as the store has a
// job that names it.
type queue struct {
	name     string
	jobs     int // records that name this queue, in any state
	line     chain
	schedule schedule
}

// due returns the scheduled record whose time came first, or nil when none is due.
func (q *queue) due(now moment) *record {
	if len(q.schedule) == 0 || q.schedule[0].until > now.elapsed {
		return nil
	}
	return q.schedule[0]
}

// untilDue is how long until the next scheduled job is due; negative when there
// is none.
func (q *queue) untilDue(now moment) time.Duration {
	if len(q.schedule) == 0 {
		return -1
	}
	return time.Duration(max(q.schedule[0].until-now.elapsed, 0))
}

// joinQueue puts a new record under a queue.
func (s *Store) joinQueue(r *record, name string) {
	q := s.queues[name]
	if q == nil {
		q = &queue{name: name, line: chain{records: s.jobs}}
		s.queues[name] = q
	}
	q.jobs++
	r.queue = q
}

// leaveQueue forgets the queue with its last record.
func (s *Store) leaveQueue(r *record) {
	r.queue.jobs--
	if r.queue.jobs == 0 {
		delete(s.queues, r.queue.name)
	}
}

// schedule is a heap of scheduled records, the one that is due first on top.
type schedule []*record

func (h *schedule) add(r *record)    { heap.Push(h, r) }
func (h *schedule) remove(r *record) { heap.Remove(h, r.index) }

// Len implements heap.Interface.
func (h schedule) Len() int { return len(h) }

// Less implements heap.Interface. Jobs due at the same time keep their order of
// creation.
func (h schedule) Less(i, j int) bool {
	if h[i].until != h[j].until {
		return h[i].until < h[j].until
	}
	return h[i].seq < h[j].seq
}

// Swap implements heap.Interface.
func (h schedule) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *schedule) Push(x any) {
	r := x.(*record)
	r.index = len(*h)
	*h = append(*h, r)
}

// Pop implements heap.Interface.
func (h *schedule) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return r
}
