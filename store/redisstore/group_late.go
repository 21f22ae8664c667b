package redisstore

import (
	"context"
	"slices"
	"time"
)

// A group has one timer for all callers that wait. It runs for the first of them to go, or
// earlier: then it is set again.

// watch sets the timer unless it runs early enough. Call it with mu held.
func (g *group[In, Out]) watch(deadline time.Time) {
	if !g.lateAt.IsZero() && !deadline.Before(g.lateAt) {
		return
	}
	g.lateAt = deadline
	if left := time.Until(deadline); g.late == nil {
		g.late = time.AfterFunc(left, g.expire)
	} else {
		g.late.Reset(left)
	}
}

// rest notes that nobody sends, and nobody waits. Call it with mu held.
func (g *group[In, Out]) rest() {
	g.sending = false
	clear(g.sent)
	g.sent = g.sent[:0]
	g.lateAt = time.Time{}
	if g.late != nil {
		g.late.Stop()
	}
}

// expire lets the callers go that have waited for long enough. What they wait for is not
// sent any more, or may have been done already.
func (g *group[In, Out]) expire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lateAt = time.Time{}
	now := time.Now()
	overdue := func(m *member[In, Out]) bool {
		if m.answered.Load() {
			return false
		}
		if now.Before(m.deadline) {
			g.watch(m.deadline)
			return false
		}
		m.answer(context.DeadlineExceeded)
		return true
	}
	g.waiting = slices.DeleteFunc(g.waiting, overdue)
	for _, m := range g.sent {
		overdue(m)
	}
}
