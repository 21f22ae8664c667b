package worker

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// shortestWait keeps a store that rounds the next due time down to nothing from
// being asked without end.
const shortestWait = time.Millisecond

// line is what the dispatcher knows of a queue.
type line struct {
	queue string
	// dryUntil is when the queue is worth another claim, unless the store says
	// earlier that work arrived. Zero: now.
	dryUntil time.Time
}

// dispatcher claims jobs for the free slots of all queues. It is one goroutine.
type dispatcher struct {
	worker  *Worker
	session *session
	lines   []line
	trouble outage
}

// dispatch claims until the worker stops or the session is lost.
func (w *Worker) dispatch(life context.Context, s *session) {
	d := dispatcher{worker: w, session: s, trouble: outage{pace: storePace()}}
	for queue, n := range w.cfg.Queues {
		if n > 0 {
			d.lines = append(d.lines, line{queue: queue})
		}
	}
	for life.Err() == nil && !w.isStopping() {
		if want := d.want(); len(want) > 0 {
			d.claim(life, want)
		} else {
			d.wait(life)
		}
	}
}

// want lists the queues that have free slots and may have jobs.
func (d *dispatcher) want() []store.Want {
	now := time.Now()
	var want []store.Want
	for _, l := range d.lines {
		if free := d.worker.slots.left(l.queue); free > 0 && !now.Before(l.dryUntil) {
			want = append(want, store.Want{Queue: l.queue, Max: free})
		}
	}
	return want
}

// claim makes one call for all wanted queues and starts what it got.
func (d *dispatcher) claim(life context.Context, want []store.Want) {
	// The keeper must not take a claim whose reply is on its way for a lost one,
	// so all that came is registered before the call counts as over.
	d.session.calls.Add(1)
	defer d.session.calls.Add(1)
	var batch store.Batch
	err := d.worker.call(life, func(ctx context.Context) (err error) {
		batch, err = d.session.Claim(ctx, want)
		return err
	})
	if err != nil {
		d.failed(life, err)
		return
	}
	if d.trouble.over() {
		d.worker.log.Info("claiming jobs works again")
	}
	for _, claim := range batch.Claims {
		d.worker.start(life, d.session, claim)
	}
	d.markDry(want, batch)
}

// markDry notes the queues that gave less than was wanted: they have no more, and
// a slot that is freed does not change that.
func (d *dispatcher) markDry(want []store.Want, batch store.Batch) {
	got := make(map[string]int, len(want))
	for _, claim := range batch.Claims {
		got[claim.Job.Queue]++
	}
	rest := d.worker.cfg.PollInterval
	if batch.NextDue >= 0 {
		rest = min(rest, max(batch.NextDue, shortestWait))
	}
	dryUntil := time.Now().Add(rest)
	for _, wanted := range want {
		if got[wanted.Queue] < wanted.Max {
			i := slices.IndexFunc(d.lines, func(l line) bool { return l.queue == wanted.Queue })
			d.lines[i].dryUntil = dryUntil
		}
	}
}

// wait sleeps until a claim may be of use.
func (d *dispatcher) wait(life context.Context) {
	var due <-chan time.Time
	if at := d.nextDue(); !at.IsZero() {
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-d.session.Arrived():
		// Which queue it came to is not said.
		for i := range d.lines {
			d.lines[i].dryUntil = time.Time{}
		}
	case <-d.worker.slots.freed:
		// Slots are often freed together; once the others had their turn, one claim
		// fills them all.
		runtime.Gosched()
	case <-due:
	case <-d.worker.stopping:
	case <-life.Done():
	}
}

// nextDue is when the first dry queue with free slots is worth a claim; zero when
// all slots are taken: then only a freed slot matters.
func (d *dispatcher) nextDue() time.Time {
	var next time.Time
	for _, l := range d.lines {
		if d.worker.slots.left(l.queue) > 0 && (next.IsZero() || l.dryUntil.Before(next)) {
			next = l.dryUntil
		}
	}
	return next
}

// failed waits after a claim that failed, so that nothing spins on a broken store.
func (d *dispatcher) failed(life context.Context, err error) {
	if errors.Is(err, store.ErrLeaseLost) {
		// Only a renewal can tell whether the session can be saved.
		signal(d.session.renewNow)
	}
	wait, tell := d.trouble.failed()
	if tell && life.Err() == nil {
		d.worker.log.Warn("cannot claim jobs; retrying", "error", err)
	}
	pause(life, wait, d.worker.stopping)
}
