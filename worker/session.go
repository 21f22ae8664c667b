package worker

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// session is one lease on the store and what the parts of the worker that use it
// tell each other.
type session struct {
	store.Session
	// life ends with the session; values has the same values and no end. Set by serve.
	life, values context.Context //nolint:containedctx // it is how long the session lasts
	// ended tells why life ended; nil: it did not.
	ended func() error
	// renewNow asks the keeper for a renewal out of turn.
	renewNow chan struct{}
	// calls is odd while a Claim call is under way, and rises by two with each.
	calls atomic.Int64

	mu sync.Mutex
	// renewed is when the last call that started the lease anew began.
	renewed time.Time
	// lap is closed by the next renewal.
	lap chan struct{}
}

func newSession(opened store.Session, began time.Time) *session {
	return &session{
		Session:  opened,
		renewNow: make(chan struct{}, 1),
		renewed:  began,
		lap:      make(chan struct{}),
	}
}

// markRenewed notes a renewal whose call began then.
func (s *session) markRenewed(began time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewed = began
	close(s.lap)
	s.lap = make(chan struct{})
}

// sinceRenewed is an upper bound of the age of the lease.
func (s *session) sinceRenewed() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.renewed)
}

// awaitRenewal asks for a renewal and waits for it; false: the session ended.
func (s *session) awaitRenewal(ctx context.Context) bool {
	s.mu.Lock()
	lap := s.lap
	s.mu.Unlock()
	signal(s.renewNow)
	select {
	case <-lap:
		return true
	case <-ctx.Done():
		return false
	}
}

// attendStore is the one goroutine that Start starts: session after session until the
// worker is stopped.
func (w *Worker) attendStore(base, joining context.Context) {
	defer close(w.done)
	losses := outage{pace: storePace()}
	for {
		s := w.join(joining)
		if s == nil {
			break
		}
		joined := time.Now()
		w.serve(base, s)
		if time.Since(joined) > w.cfg.Lease {
			losses.over()
		}
		// Sessions that are lost as soon as they are opened must not spin.
		if wait, _ := losses.failed(); !pause(joining, wait, nil) {
			break
		}
	}
	// What still runs here belongs to a lost session.
	w.drain(base)
	<-w.crew.none()
	w.crew.dismiss()
	w.overtime.stop()
}

// stopAll stops what still runs under a session.
func (w *Worker) stopAll(s *session, cause error) {
	for _, r := range w.crew.all() {
		if r.session == s && !r.isOver() {
			r.stop(cause)
		}
	}
}

// join opens a session; nil: the worker is stopped.
func (w *Worker) join(joining context.Context) *session {
	trouble := outage{pace: storePace()}
	for joining.Err() == nil {
		began := time.Now()
		var opened store.Session
		err := w.call(joining, func(ctx context.Context) (err error) {
			opened, err = w.cfg.Store.Join(ctx, w.cfg.Name, w.cfg.Lease)
			return err
		})
		if err == nil {
			w.log.Info("joined the store")
			return newSession(opened, began)
		}
		wait, tell := trouble.failed()
		if tell && joining.Err() == nil {
			w.log.Warn("cannot join the store; retrying", "error", err)
		}
		pause(joining, wait, nil)
	}
	return nil
}

// serve works on a session until it is lost or the worker has drained.
func (w *Worker) serve(base context.Context, s *session) {
	life, end := context.WithCancelCause(base)
	s.life, s.values = life, base
	s.ended = func() error { return context.Cause(life) }
	// Nothing runs when the session ends but what it has lost.
	context.AfterFunc(life, func() { w.stopAll(s, context.Cause(life)) })
	var crew sync.WaitGroup
	crew.Go(func() { w.keep(life, s, end) })
	crew.Go(func() { w.recoverJobs(life, s) })
	w.dispatch(life, s)
	if life.Err() == nil {
		w.drain(life)
	}
	lost := errors.Is(context.Cause(life), store.ErrLeaseLost)
	end(ErrShutdown)
	crew.Wait()
	switch {
	case !w.isStopping():
	case lost:
		w.err = errors.Join(w.err, errLostWhileDraining)
	default:
		// Writes that were still being repeated end with life; Leave gives back
		// their jobs, so it comes after them.
		<-w.crew.none()
		w.err = errors.Join(w.err, w.leave(base, s))
	}
}
