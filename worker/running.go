package worker

import (
	"context"
	"sync"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// run is one claimed job while this worker has it: from the claim's reply until
// the attempt is settled, released or lost.
type run struct {
	claim   store.Claim
	session *session
	// since is when the claim's reply was read.
	since time.Time
	// cancel ends the context of the attempt.
	cancel context.CancelCauseFunc

	mu   sync.Mutex
	over bool
	// grace runs out when the handler takes too long to stop.
	grace *time.Timer
	// attempt is what the handler sees; nil while no handler was called.
	attempt *Attempt
}

// show notes the attempt that the handler gets.
func (r *run) show(attempt *Attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempt = attempt
}

// abandonAfter calls abandon after d, unless the run is over by then.
func (r *run) abandonAfter(d time.Duration, abandon func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.grace = time.AfterFunc(d, abandon)
	}
}

// finish makes the caller the one that ends the run, the only one that may look at
// the attempt; false: somebody else is.
func (r *run) finish() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return false
	}
	r.over = true
	if r.grace != nil {
		r.grace.Stop()
	}
	return true
}

// isOver reports whether somebody ends the run, or has ended it.
func (r *run) isOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

// running are the runs of a worker, of all its sessions.
type running struct {
	mu    sync.Mutex
	runs  map[store.Ref]*run
	empty chan struct{}
}

func newRunning() *running { return &running{runs: map[store.Ref]*run{}} }

func (g *running) add(r *run) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.runs[r.claim.Ref] = r
}

func (g *running) remove(r *run) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.runs, r.claim.Ref)
	if len(g.runs) == 0 && g.empty != nil {
		close(g.empty)
		g.empty = nil
	}
}

// get returns the run of a claim, or nil.
func (g *running) get(ref store.Ref) *run {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.runs[ref]
}

// all returns the runs there are now.
func (g *running) all() []*run {
	g.mu.Lock()
	defer g.mu.Unlock()
	runs := make([]*run, 0, len(g.runs))
	for _, r := range g.runs {
		runs = append(runs, r)
	}
	return runs
}

// idle returns a channel that is closed as soon as nothing runs.
func (g *running) idle() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.empty == nil {
		g.empty = make(chan struct{})
	}
	empty := g.empty
	if len(g.runs) == 0 {
		close(g.empty)
		g.empty = nil
	}
	return empty
}
