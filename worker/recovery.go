package worker

import (
	"context"
	"time"
)

// reclaimLimit is how many jobs one Reclaim call takes.
const reclaimLimit = 100

// recoverJobs returns the jobs of dead sessions to their queues, once a second, until
// the session ends. Every worker does it: a call that finds nothing is cheap.
func (w *Worker) recoverJobs(life context.Context, s *session) {
	// The jitter keeps workers that started together from calling together.
	pace := Backoff{Initial: time.Second, Max: 2 * time.Second, Factor: 1, Jitter: 0.1}
	trouble := outage{pace: storePace()}
	for pause(life, pace.Delay(1), nil) {
		// A process that was paused must try to renew before it takes its own
		// session for a dead one.
		if s.sinceRenewed() > w.cfg.Lease {
			continue
		}
		err := w.reclaim(life)
		if err == nil {
			trouble.over()
		} else if _, tell := trouble.failed(); tell && life.Err() == nil {
			w.log.Warn("cannot recover jobs of dead workers; retrying", "error", err)
		}
	}
}

// reclaim takes all there is.
func (w *Worker) reclaim(life context.Context) error {
	total := 0
	for n := reclaimLimit; n >= reclaimLimit; total += n {
		if err := w.call(life, func(ctx context.Context) (err error) {
			n, err = w.cfg.Store.Reclaim(ctx, reclaimLimit)
			return err
		}); err != nil {
			return err
		}
	}
	if total > 0 {
		w.log.Warn("recovered jobs of dead workers", "jobs", total)
	}
	return nil
}
