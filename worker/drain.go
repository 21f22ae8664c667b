package worker

import (
	"context"
	"fmt"
	"time"
)

// drainStopGrace is how long handlers may take to return once the grace period of
// a shutdown is over.
const drainStopGrace = 2 * time.Second

// drain lets running attempts go on for the grace period, then stops them. When
// it returns, nothing runs but writes that the store has not taken yet; those end
// with the session.
func (w *Worker) drain(life context.Context) {
	idle := w.crew.none()
	if w.letRun(life, idle) {
		return
	}
	for _, r := range w.crew.all() {
		r.stop(ErrShutdown)
	}
	timer := time.NewTimer(drainStopGrace)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
		w.leaveBehind()
	}
}

// letRun waits until all attempts have ended; false: the time for that is over.
func (w *Worker) letRun(life context.Context, idle <-chan struct{}) bool {
	grace := time.NewTimer(max(w.cfg.Grace, 0))
	defer grace.Stop()
	select {
	case <-idle:
		return true
	case <-grace.C:
	case <-w.hurry:
	case <-life.Done():
	}
	return false
}

// leaveBehind gives up on handlers that do not return. Leave gives back their jobs.
func (w *Worker) leaveBehind() {
	for _, r := range w.crew.all() {
		if w.end(r, ending{does: drop}) {
			w.log.Error("the handler did not stop; its goroutine is abandoned", r.attrs("error", ErrShutdown)...)
		}
	}
}

// leave closes the session, which releases what it still holds. It is repeated for
// a while; if it fails, the jobs return to their queues when the lease runs out.
func (w *Worker) leave(base context.Context, s *session) error {
	ctx, cancel := context.WithTimeout(base, w.callTimeout)
	defer cancel()
	trouble := outage{pace: storePace()}
	for {
		err := s.Leave(ctx)
		if err == nil {
			return nil
		}
		if wait, _ := trouble.failed(); !pause(ctx, wait, nil) {
			return fmt.Errorf("worker: leaving the store: %w", err)
		}
	}
}
