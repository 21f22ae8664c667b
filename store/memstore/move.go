package memstore

import (
	"fmt"

	"github.com/asyncendpoints/gin-async/store"
)

// destination is where a job goes: the next state and the place it has there.
type destination struct {
	state store.State
	// head puts a queued job before all others of its queue.
	head bool
	// passing marks a queued job that a session claims in the same step: there is
	// nobody to wake.
	passing bool
	due     moment       // of a scheduled job
	holder  *session     // of a job in progress
	result  store.Result // of a finished job; without data when it has none
}

// move takes a job to its next state. It is the only function that changes the
// state of a job, and refuses what is not in the table of transitions; then
// nothing has changed.
func (s *Store) move(r *record, to destination, now moment) error {
	if !r.state.CanBecome(to.state) {
		return fmt.Errorf("memstore: a job that is %s cannot become %q", r.state, to.state)
	}
	s.takeOut(r)
	s.putIn(r, to, now)
	s.changed(r)
	if to.state.Terminal() {
		s.trim(0)
	}
	return nil
}

// changed makes a visible change known.
func (s *Store) changed(r *record) {
	r.version++
	s.watches.tell(r.id)
}

// takeOut removes a record from the place that its state gives it.
func (s *Store) takeOut(r *record) {
	s.counts.add(r.state, -1)
	s.bytes -= r.size()
	switch r.state {
	case store.Queued:
		r.owner.waiting--
		r.queue.line.remove(r)
	case store.Scheduled:
		r.owner.waiting--
		r.queue.schedule.remove(r)
		r.due = 0
	case store.InProgress:
		r.holder.held.remove(r)
		r.holder = nil
	case store.Completed, store.Failed, store.Canceled:
		s.archive.remove(r)
	}
}

// putIn gives a record its new state and the place that belongs to it.
func (s *Store) putIn(r *record, to destination, now moment) {
	r.state = to.state
	s.counts.add(to.state, 1)
	switch to.state {
	case store.Queued:
		r.owner.waiting++
		s.line(r, to)
	case store.Scheduled:
		r.owner.waiting++
		r.due, r.until = to.due.stamp, to.due.elapsed
		r.queue.schedule.add(r)
		if r.index == 0 {
			s.wake()
		}
	case store.InProgress:
		r.holder = to.holder
		r.holder.held.pushBack(r)
	case store.Completed, store.Failed, store.Canceled:
		s.finish(r, to.result, now)
	}
	s.bytes += r.size()
}

// line puts a record in its queue. A failed job that is tried again is finished
// no longer.
func (s *Store) line(r *record, to destination) {
	r.result, r.response, r.finished = nil, store.Response{}, 0
	line := &r.queue.line
	if to.head {
		line.pushFront(r)
	} else {
		line.pushBack(r)
	}
	if line.len == 1 && !to.passing {
		s.wake()
	}
}

// wake tells the sessions that there is more to claim. It is called when a queue
// gets its first job or an earlier due time; whoever finds a queue filled already
// was told when that began.
func (s *Store) wake() {
	for _, session := range s.sessions {
		signal(session.arrived)
	}
}

// signal leaves a message in a channel of capacity 1, unless one is there.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// counts is the number of jobs by state.
type counts struct {
	queued, scheduled, inProgress, finished int
}

func (c *counts) add(state store.State, n int) {
	switch state {
	case store.Queued:
		c.queued += n
	case store.Scheduled:
		c.scheduled += n
	case store.InProgress:
		c.inProgress += n
	case store.Completed, store.Failed, store.Canceled:
		c.finished += n
	}
}

// waiting is the number of jobs that MaxWaiting bounds.
func (c *counts) waiting() int { return c.queued + c.scheduled }
