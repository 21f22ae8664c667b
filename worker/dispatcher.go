package worker

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
	"github.com/asyncendpoints/gin-async/store"
)

// shortestWait keeps a store that rounds the next due time down to nothing from
// being asked without end.
const shortestWait = time.Millisecond

// line is what the dispatcher knows of a queue.
type line struct {
	slots *slots
	// dryUntil is when the queue is worth another claim, unless the store says
	// earlier that work arrived. Zero: now.
	dryUntil time.Time
	// wanted and got count the jobs of one claim.
	wanted, got int
}

// dispatcher claims jobs for the free slots of all queues. It is one goroutine.
type dispatcher struct {
	worker  *Worker
	session *session
	lines   []line
	trouble outage
	timer   *time.Timer // nil until it waits
}

// dispatch claims until the worker stops or the session is lost.
func (w *Worker) dispatch(life context.Context, s *session) {
	d := dispatcher{worker: w, session: s, trouble: outage{pace: storePace()}}
	for _, slots := range w.crew.slots {
		d.lines = append(d.lines, line{slots: slots})
	}
	for life.Err() == nil && !w.isStopping() {
		if want := d.want(); len(want) > 0 {
			d.claim(life, want)
		} else {
			d.wait(life)
		}
	}
	if d.timer != nil {
		d.timer.Stop()
	}
}

// want lists the queues that have free slots and may have jobs.
func (d *dispatcher) want() []store.Want {
	now := time.Now()
	var want []store.Want
	for i := range d.lines {
		l := &d.lines[i]
		l.wanted, l.got = 0, 0
		if free := d.worker.crew.left(l.slots); free > 0 && !now.Before(l.dryUntil) {
			l.wanted = free
			want = append(want, store.Want{Queue: l.slots.queue, Max: free})
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
	ctx, cancel := lazyctx.WithTimeout(life, d.worker.callTimeout)
	batch, err := d.session.Claim(ctx, want)
	cancel()
	if err != nil {
		d.failed(life, err)
		return
	}
	if d.trouble.over() {
		d.worker.log.Info("claiming jobs works again")
	}
	now := time.Now()
	d.start(batch.Claims, now)
	d.markDry(batch.NextDue, now)
}

// start takes up claimed jobs. It does not wait for them.
func (d *dispatcher) start(claims []store.Claim, now time.Time) {
	if len(claims) == 0 {
		return
	}
	w := d.worker
	stopping := w.isStopping()
	runs := make([]*run, len(claims))
	for i := range claims {
		r := w.newRun(d.session, &claims[i], now)
		r.slots = d.slotsOf(claims[i].Job.Queue)
		if stopping {
			// Claimed by a call that was under way: it goes back without being run.
			r.ctx.Cancel(ErrShutdown)
		}
		runs[i] = r
	}
	w.wake(w.crew.add(runs))
}

// slotsOf counts a job of the queue and returns its slots. A queue that was not asked
// for has none to take from.
func (d *dispatcher) slotsOf(queue string) *slots {
	for i := range d.lines {
		if l := &d.lines[i]; l.slots.queue == queue {
			l.got++
			return l.slots
		}
	}
	return &slots{queue: queue}
}

// markDry notes the queues that gave less than was wanted: they have no more, and
// a slot that is freed does not change that.
func (d *dispatcher) markDry(nextDue time.Duration, now time.Time) {
	rest := d.worker.cfg.PollInterval
	if nextDue >= 0 {
		rest = min(rest, max(nextDue, shortestWait))
	}
	for i := range d.lines {
		if l := &d.lines[i]; l.got < l.wanted {
			l.dryUntil = now.Add(rest)
		}
	}
}

// wait sleeps until a claim may be of use.
func (d *dispatcher) wait(life context.Context) {
	select {
	case <-d.session.Arrived():
		// Which queue it came to is not said.
		for i := range d.lines {
			d.lines[i].dryUntil = time.Time{}
		}
	case <-d.worker.crew.freed:
		// Slots are often freed together; once the others had their turn, one claim
		// fills them all.
		runtime.Gosched()
	case <-d.due():
	case <-d.worker.stopping:
	case <-life.Done():
	}
}

// due returns a channel that receives when the first dry queue with free slots is worth
// a claim; nil when all slots are taken: then only a freed slot matters.
func (d *dispatcher) due() <-chan time.Time {
	var next time.Time
	for i := range d.lines {
		l := &d.lines[i]
		if d.worker.crew.left(l.slots) > 0 && (next.IsZero() || l.dryUntil.Before(next)) {
			next = l.dryUntil
		}
	}
	switch {
	case next.IsZero():
		return nil
	case d.timer == nil:
		d.timer = time.NewTimer(time.Until(next))
	default:
		d.timer.Reset(time.Until(next))
	}
	return d.timer.C
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
