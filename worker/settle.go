package worker

import (
	"context"
	"errors"
	"log/slog"

	"github.com/asyncendpoints/gin-async/store"
)

// write makes the one write that ends an attempt. It is repeated until the store
// has it, the attempt turns out to be no longer ours, or the session ends: its
// context is the session's, for the attempt's own may have ended long ago. Both
// writes are safe to repeat.
func (w *Worker) write(life context.Context, r *run, e ending) {
	switch e.does {
	case drop:
	case settle:
		var became store.State
		if w.persist(life, r, func(ctx context.Context) (err error) {
			became, err = r.session.Settle(ctx, r.claim.Ref, e.outcome)
			return err
		}) {
			w.logSettled(life, r, e.outcome, became)
		}
	case release:
		w.persist(life, r, func(ctx context.Context) error {
			return r.session.Release(ctx, r.claim.Ref, e.delay)
		})
	}
}

// persist repeats a write until it succeeds; false: it is of no use any more.
func (w *Worker) persist(life context.Context, r *run, write func(context.Context) error) bool {
	trouble := outage{pace: storePace()}
	confirmed := false
	for {
		err := w.call(life, write)
		if err == nil {
			return true
		}
		wait, tell := trouble.failed()
		switch {
		case life.Err() != nil:
			w.log.Warn("the session ended before the attempt was settled", r.attrs("error", err)...)
			return false
		case !errors.Is(err, store.ErrLeaseLost):
			if tell {
				w.log.Warn("cannot settle the attempt; retrying", r.attrs("error", err)...)
			}
			pause(life, wait, nil)
		case confirmed:
			w.log.Warn("the attempt is no longer held by this worker; its outcome is dropped", r.attrs()...)
			return false
		default:
			// A lease that only ran out, in a process that was paused, can be renewed,
			// and the write then counts. If it cannot, the refusal stands.
			if confirmed = r.session.awaitRenewal(life); !confirmed {
				w.log.Warn("the session ended before the attempt was settled", r.attrs("error", err)...)
				return false
			}
		}
	}
}

// logSettled tells of failures loudly and of the rest quietly.
func (w *Worker) logSettled(ctx context.Context, r *run, outcome store.Outcome, became store.State) {
	problem := outcome.Problem()
	switch {
	case became == store.Failed && problem.Status < 500: // the client's doing
		w.log.Info("the job failed", r.attrs("error", problem.Title, "detail", problem.Detail)...)
	case became == store.Failed:
		w.log.Warn("the job failed", r.attrs("error", problem.Title, "detail", problem.Detail)...)
	case became == store.Scheduled:
		w.log.Info("the attempt failed and is retried",
			r.attrs("error", problem.Title, "detail", problem.Detail, "delay", outcome.Delay())...)
	case w.log.Enabled(ctx, slog.LevelDebug):
		w.log.Debug("the attempt ended", r.attrs("state", string(became))...)
	}
}
