package worker

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

const (
	// progressInterval is the shortest time between two writes of one attempt.
	progressInterval = 250 * time.Millisecond
	// flushTimeout bounds the last write: the settle that waits for it matters more.
	flushTimeout = time.Second
	// longestMessage is in characters, the mark of the cut included.
	longestMessage = 200
)

// progress writes what an attempt reports, one write at a time and not too often.
type progress struct {
	// run is the attempt's.
	run *run

	mu sync.Mutex
	// next is when the next write may begin.
	next time.Time
	// pending waits for the timer or for the write under way; nil: nothing does.
	pending *store.Progress
	timer   *time.Timer
	// writing is closed when the write under way is over; nil: there is none.
	writing chan struct{}
	closed  bool
}

// put writes at once or leaves its values to be written later.
func (p *progress) put(ctx context.Context, percent float64, message string) error {
	// Written so that a percentage that is no number is refused too.
	if !(percent >= 0 && percent <= 100) {
		return fmt.Errorf("worker: progress must be between 0 and 100 percent, not %v", percent)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if cause := p.run.cause(); cause != nil {
		return cause
	}
	latest := &store.Progress{Percent: percent, Message: cut(message)}
	p.mu.Lock()
	if p.closed {
		defer p.mu.Unlock()
		return p.run.cause()
	}
	if p.writing != nil || time.Now().Before(p.next) {
		defer p.mu.Unlock()
		p.pending = latest
		p.schedule(ctx)
		return nil
	}
	p.pending = nil // it is older, and its timer may be about to write it
	done := p.begin()
	p.mu.Unlock()
	defer p.finished(ctx, done)
	err := p.report(ctx, *latest)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx) // it cut the call short
	}
	return err
}

// report writes to the store.
func (p *progress) report(ctx context.Context, latest store.Progress) error {
	return p.run.worker.call(ctx, func(ctx context.Context) error {
		return p.run.session.Report(ctx, p.run.ref, latest)
	})
}

// later is the timer's turn: it writes what is pending.
func (p *progress) later(ctx context.Context) {
	p.mu.Lock()
	p.timer = nil
	latest := p.pending
	if p.closed || latest == nil || p.writing != nil {
		p.mu.Unlock()
		return
	}
	p.pending = nil
	done := p.begin()
	p.mu.Unlock()
	defer p.finished(ctx, done)
	// An error is no loss: the next report, or the last, replaces this one.
	_ = p.report(ctx, *latest)
}

// begin marks a write as under way. Call it with mu held.
func (p *progress) begin() chan struct{} {
	p.next = time.Now().Add(progressInterval)
	p.writing = make(chan struct{})
	return p.writing
}

func (p *progress) finished(ctx context.Context, done chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writing = nil
	close(done)
	p.schedule(ctx)
}

// schedule sets the timer if something is pending and nothing else will write it.
// Call it with mu held.
func (p *progress) schedule(ctx context.Context) {
	if p.pending == nil || p.closed || p.writing != nil || p.timer != nil {
		return
	}
	// The caller's context may end with the call; the write has its own deadline.
	ctx = context.WithoutCancel(ctx)
	p.timer = time.AfterFunc(time.Until(p.next), func() { p.later(ctx) })
}

// close ends the reporting: no write is under way when it returns. What is pending
// is written first if flush is set.
func (p *progress) close(ctx context.Context, flush bool) {
	p.mu.Lock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	latest, writing := p.pending, p.writing
	p.mu.Unlock()
	if writing != nil {
		<-writing
	}
	if latest == nil || !flush {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	_ = p.report(ctx, *latest)
}

// cut shortens a message at the border of a character and makes it valid text.
func cut(message string) string {
	message = strings.ToValidUTF8(message, "\uFFFD")
	if len(message) <= longestMessage {
		return message
	}
	characters := []rune(message)
	if len(characters) <= longestMessage {
		return message
	}
	return string(characters[:longestMessage-1]) + "…"
}
