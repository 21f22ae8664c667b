package redisstore

import (
	"context"
	"slices"
	"time"
)

// A group has one timer for all callers that wait. It is set for the first of those whose
// call is under way: the others came later, and most of them wait as long.

// watch sets the timer. Call it with mu held.
func (g *group[In, Out]) watch(deadline time.Time) {
	left := time.Until(deadline)
	if g.late == nil {
		g.late = time.AfterFunc(left, g.expire)
		return
	}
	g.late.Reset(left)
}

// rest notes that nobody sends, and nobody waits. Call it with mu held.
func (g *group[In, Out]) rest() {
	g.sending = false
	if g.late != nil {
		g.late.Stop()
	}
}

// expire lets the callers go that have waited for long enough. What they wait for is not
// sent any more, or may have been done already.
func (g *group[In, Out]) expire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.sending {
		return
	}
	now := time.Now()
	var next time.Time
	overdue := func(m *member[In, Out]) bool {
		switch {
		case m.answered.Load():
			return false
		case !now.Before(m.deadline):
			m.answer(context.DeadlineExceeded)
			return true
		case next.IsZero() || m.deadline.Before(next):
			next = m.deadline
		}
		return false
	}
	for _, m := range g.sent {
		overdue(m)
	}
	g.waiting = slices.DeleteFunc(g.waiting, overdue)
	if !next.IsZero() {
		g.watch(next)
	}
}
