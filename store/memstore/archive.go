package memstore

import (
	"container/heap"
	"context"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

const (
	// expirePerCall is how many expired jobs a Create or a Settle removes: more than
	// it adds, so that what has expired never piles up.
	expirePerCall = 4
	// expirePerLock is how many the thorough removal takes before it lets others in.
	expirePerLock = 512
)

// archive keeps the finished jobs in the order of their expiry. Jobs of the same
// retention expire in the order they finish, so each retention has a plain list,
// a shelf, and only the shelves are kept in a heap: there are as many as there are
// different retentions, usually one or two.
type archive struct {
	records *index
	shelves map[time.Duration]*shelf
	order   shelfHeap
	bytes   int64
}

// shelf is the finished jobs of one retention, the one that expires first in front.
type shelf struct {
	retention time.Duration
	jobs      chain
	index     int // place in the heap
}

func newArchive(records *index) archive {
	return archive{records: records, shelves: make(map[time.Duration]*shelf)}
}

// add takes in a record that knows when it expires.
func (a *archive) add(r *record) {
	a.bytes += r.size()
	sh := a.shelves[r.retention]
	if sh == nil {
		sh = &shelf{retention: r.retention, jobs: chain{records: a.records}}
		sh.jobs.pushBack(r)
		a.shelves[r.retention] = sh
		heap.Push(&a.order, sh)
		return
	}
	sh.jobs.pushBack(r)
}

func (a *archive) remove(r *record) {
	a.bytes -= r.size()
	sh := a.shelves[r.retention]
	wasFirst := sh.jobs.first() == r
	sh.jobs.remove(r)
	switch {
	case sh.jobs.len == 0:
		heap.Remove(&a.order, sh.index)
		delete(a.shelves, sh.retention)
	case wasFirst && len(a.order) > 1:
		heap.Fix(&a.order, sh.index)
	}
}

// first returns the record that expires first, or nil.
func (a *archive) first() *record {
	if len(a.order) == 0 {
		return nil
	}
	return a.order[0].jobs.first()
}

// finish archives a record in its terminal state. Only a failed job can be run
// again; the others need their request no more.
func (s *Store) finish(r *record, result store.Result, now moment) {
	r.finished = now.stamp
	r.until = now.add(r.retention).elapsed
	r.result, r.response = result.Data, result.Response
	if r.state != store.Failed {
		r.payload = nil
	}
	s.archive.add(r)
}

// expire removes up to limit jobs that have outlived their retention and returns
// how many it removed.
func (s *Store) expire(limit int, now moment) int {
	for n := range limit {
		r := s.archive.first()
		if r == nil || !r.expired(now) {
			return n
		}
		s.remove(r)
	}
	return limit
}

// removeExpired removes all jobs that have outlived their retention. It gives up
// the lock now and then. Errors: that of ctx.
func (s *Store) removeExpired(ctx context.Context) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.mu.Lock()
		more = s.expire(expirePerLock, s.now()) == expirePerLock
		s.mu.Unlock()
	}
	return nil
}

// trim drops finished jobs, the one that expires first in front, until the store
// keeps its bounds with that many bytes more.
func (s *Store) trim(more int64) {
	for s.counts.finished > s.maxFinished || s.bytes+more > s.maxBytes {
		r := s.archive.first()
		if r == nil {
			return
		}
		s.remove(r)
	}
}

// remove forgets a finished job with all that belongs to it. The record can still
// be viewed until the lock is given up.
func (s *Store) remove(r *record) {
	s.takeOut(r)
	s.leaveOwner(r)
	s.leaveQueue(r)
	s.jobs.remove(r)
	if r.keyed != nil {
		delete(s.keys, r.keyed.key)
	}
	s.watches.tell(r.id)
	s.spare.give(r)
}

// shelfHeap orders the shelves by their first jobs.
type shelfHeap []*shelf

// Len implements heap.Interface.
func (h shelfHeap) Len() int { return len(h) }

// Less implements heap.Interface. No shelf in the heap is empty when it is compared.
func (h shelfHeap) Less(i, j int) bool {
	return h[i].jobs.first().until < h[j].jobs.first().until
}

// Swap implements heap.Interface.
func (h shelfHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *shelfHeap) Push(x any) {
	sh := x.(*shelf)
	sh.index = len(*h)
	*h = append(*h, sh)
}

// Pop implements heap.Interface.
func (h *shelfHeap) Pop() any {
	last := len(*h) - 1
	sh := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return sh
}
