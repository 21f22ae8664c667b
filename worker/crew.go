package worker

import (
	"sync"

	"github.com/asyncendpoints/gin-async/store"
)

// maxIdle bounds the executors that are kept for later jobs.
const maxIdle = 128

// crew is who runs the jobs of a worker, of all its sessions, and what they run.
//
// Claimed jobs wait in a line for an executor, which is a goroutine that takes up one
// after the other. When the line is not empty, one executor is always on its way to it:
// who takes up a job and leaves others behind calls the next executor. So a handler
// that blocks holds up nobody, and short jobs are run by as many executors as there are
// processors, without waking one for each.
type crew struct {
	// freed receives after slots were put back.
	freed chan struct{}
	slots []*slots

	mu    sync.Mutex
	first *run // of all runs
	count int  // of them
	empty chan struct{}

	head, tail *run // of the line
	idle       []*executor
	// calling is set while an executor is on its way to the line.
	calling bool
	closed  bool
}

// executor is a goroutine that runs jobs.
type executor struct {
	// called wakes it when it is idle.
	called chan struct{}
	// coming is set while it is the one on its way. The crew's lock guards it.
	coming bool
	born   bool
}

func newCrew(queues map[string]int) *crew {
	return &crew{freed: make(chan struct{}, 1), slots: newSlots(queues)}
}

// left returns how many jobs of the queue may be claimed.
func (g *crew) left(s *slots) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return s.free
}

// add gives each run a slot and a place in the line. It returns the executor to wake,
// or nil.
func (g *crew) add(runs []*run) *executor {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range runs {
		r.slots.free--
		r.next = g.first
		if g.first != nil {
			g.first.prev = r
		}
		g.first = r
		if g.tail == nil {
			g.head = r
		} else {
			g.tail.behind = r
		}
		g.tail = r
	}
	g.count += len(runs)
	return g.call()
}

// call chooses an executor for the line, unless one is coming or there is no need. Call
// it with mu held, and wake the executor without.
func (g *crew) call() *executor {
	if g.calling || g.head == nil {
		return nil
	}
	g.calling = true
	last := len(g.idle) - 1
	if last < 0 {
		return &executor{called: make(chan struct{}, 1), coming: true}
	}
	x := g.idle[last]
	g.idle = g.idle[:last]
	x.coming = true
	return x
}

// take returns the next run of the line for an executor that is through with its last
// one, and the executor to wake; without a run x has become idle, or has to go.
func (g *crew) take(x *executor) (r *run, other *executor, stay bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if x.coming {
		x.coming, g.calling = false, false
	}
	if r = g.head; r != nil {
		g.head, r.behind = r.behind, nil
		if g.head == nil {
			g.tail = nil
		}
		return r, g.call(), true
	}
	if g.closed || len(g.idle) >= maxIdle {
		return nil, nil, false
	}
	g.idle = append(g.idle, x)
	return nil, nil, true
}

// replace returns an executor for the line in place of one whose goroutine has ended.
func (g *crew) replace() *executor {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.call()
}

// remove forgets a run that is over and frees its slot.
func (g *crew) remove(r *run) {
	g.mu.Lock()
	r.slots.free++
	if r.prev != nil {
		r.prev.next = r.next
	} else {
		g.first = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	}
	r.prev, r.next = nil, nil
	g.count--
	if g.count == 0 && g.empty != nil {
		close(g.empty)
		g.empty = nil
	}
	g.mu.Unlock()
	signal(g.freed)
}

// all returns the runs there are now.
func (g *crew) all() []*run {
	g.mu.Lock()
	defer g.mu.Unlock()
	runs := make([]*run, 0, g.count)
	for r := g.first; r != nil; r = r.next {
		runs = append(runs, r)
	}
	return runs
}

// byClaim returns them by what the store calls them.
func (g *crew) byClaim() map[store.Ref]*run {
	runs := g.all()
	byClaim := make(map[store.Ref]*run, len(runs))
	for _, r := range runs {
		byClaim[r.ref] = r
	}
	return byClaim
}

// none returns a channel that is closed as soon as nothing runs.
func (g *crew) none() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.empty == nil {
		g.empty = make(chan struct{})
	}
	empty := g.empty
	if g.count == 0 {
		close(g.empty)
		g.empty = nil
	}
	return empty
}

// dismiss lets the idle executors go, and the others when they are through.
func (g *crew) dismiss() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, x := range g.idle {
		x.called <- struct{}{}
	}
	g.idle = nil
}
