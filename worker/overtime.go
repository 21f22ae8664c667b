package worker

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// overtime watches for attempts that take too long and for handlers that do not stop,
// all with one timer. It is set to the first of their times and not set anew when
// that attempt ends before: it then finds out which is the first now. So attempts that
// end in time, as most do, cost two words to write and one to read.
type overtime struct {
	birth time.Time
	// next is when the timer fires.
	next atomic.Int64

	mu    sync.Mutex
	timer *time.Timer // nil until needed
	look  func()
}

// times are when a run has to be looked at, in nanoseconds since the overtime's birth;
// 0: never.
type times struct{ deadline, grace atomic.Int64 }

// never is when a timer fires that is not set.
const never = math.MaxInt64

func (o *overtime) init(look func()) {
	o.birth, o.look = time.Now(), look
	o.next.Store(never)
}

// limit lets the attempt go on until then.
func (o *overtime) limit(r *run, deadline time.Time) { o.note(&r.times.deadline, deadline) }

// abandon lets the handler, whose context has ended, go on until then; the first time
// counts.
func (o *overtime) abandon(r *run, at time.Time) {
	if r.times.grace.Load() == 0 {
		o.note(&r.times.grace, at)
	}
}

func (o *overtime) note(field *atomic.Int64, at time.Time) {
	due := max(int64(at.Sub(o.birth)), 1)
	field.Store(due)
	// Whoever looks at all runs sets next to never before: either it finds this one
	// or this one finds that.
	if due < o.next.Load() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.set(due)
	}
}

// set lets the timer fire at that time at the latest. Call it with mu held.
func (o *overtime) set(due int64) {
	if due >= o.next.Load() {
		return
	}
	o.next.Store(due)
	wait := time.Duration(due - int64(time.Since(o.birth)))
	if o.timer == nil {
		o.timer = time.AfterFunc(wait, o.look)
	} else {
		o.timer.Reset(wait)
	}
}

// stop ends the watch.
func (o *overtime) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.timer != nil {
		o.timer.Stop()
	}
}

// lookAtAll finds the runs whose time is over, and when to look again.
func (w *Worker) lookAtAll() {
	o := &w.overtime
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next.Store(never)
	began := int64(time.Since(o.birth))
	next := int64(never)
	for _, r := range w.crew.all() {
		next = min(next, w.lookAt(r, began))
	}
	if next == never {
		return
	}
	// With very many runs whose times follow each other closely, looking must not
	// become the work.
	now := int64(time.Since(o.birth))
	o.set(max(next, now+20*(now-began)))
}

// lookAt does what is due for a run and returns when the next thing is.
func (w *Worker) lookAt(r *run, now int64) int64 {
	deadline, grace := r.times.deadline.Load(), r.times.grace.Load()
	if r.isOver() {
		return never
	}
	if grace == 0 && deadline != 0 && deadline <= now {
		r.ctx.Expire()
		grace = deadline + int64(stopGrace)
		r.times.grace.Store(grace)
	}
	switch {
	case grace == 0 && deadline == 0:
		return never
	case grace == 0:
		return deadline
	case grace > now:
		return grace
	}
	r.times.grace.Store(never)
	go w.abandon(r)
	return never
}
