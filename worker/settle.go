package worker

import (
	"context"
	"errors"
	"log/slog"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
	"github.com/asyncendpoints/gin-async/store"
)

// write makes the one write that ends an attempt. It is repeated until the store
// has it, the attempt turns out to be no longer ours, or the session ends: its
// context is the session's, for the attempt's own may have ended long ago. Both
// writes are safe to repeat.
func (w *Worker) write(r *run, e *ending) {
	if e.does == drop {
		return
	}
	life := r.session.life
	became, err := w.writeOnce(life, r, e)
	if err != nil {
		var written bool
		if became, written = w.persist(life, r, e, err); !written {
			return
		}
	}
	if e.does == settle {
		w.logSettled(life, r, &e.outcome, became)
		if r.settled != nil {
			r.settled(life, r.attempt.ID, became)
		}
	}
}

// writeOnce makes one try.
func (w *Worker) writeOnce(life context.Context, r *run, e *ending) (became store.State, err error) {
	ctx, cancel := lazyctx.WithTimeout(life, w.callTimeout)
	defer cancel()
	if e.does == release {
		return became, r.session.Release(ctx, r.ref, e.delay)
	}
	return r.session.Settle(ctx, r.ref, e.outcome)
}

// persist repeats a write that failed until it succeeds; false: it is of no use any
// more.
func (w *Worker) persist(life context.Context, r *run, e *ending, err error) (became store.State, written bool) {
	trouble := outage{pace: storePace()}
	confirmed := false
	for ; err != nil; became, err = w.writeOnce(life, r, e) {
		wait, tell := trouble.failed()
		switch {
		case life.Err() != nil:
			w.log.Warn("the session ended before the attempt was settled", r.attrs("error", err)...)
			return "", false
		case !errors.Is(err, store.ErrLeaseLost):
			if tell {
				w.log.Warn("cannot settle the attempt; retrying", r.attrs("error", err)...)
			}
			pause(life, wait, nil)
		case confirmed:
			w.log.Warn("the attempt is no longer held by this worker; its outcome is dropped", r.attrs()...)
			return "", false
		default:
			// A lease that only ran out, in a process that was paused, can be renewed,
			// and the write then counts. If it cannot, the refusal stands.
			if confirmed = r.session.awaitRenewal(life); !confirmed {
				w.log.Warn("the session ended before the attempt was settled", r.attrs("error", err)...)
				return "", false
			}
		}
	}
	return became, true
}

// logSettled tells of failures loudly and of the rest quietly.
func (w *Worker) logSettled(ctx context.Context, r *run, outcome *store.Outcome, became store.State) {
	switch {
	case became == store.Failed:
		problem := outcome.Problem()
		level := slog.LevelWarn
		if problem.Status < 500 { // the client's doing
			level = slog.LevelInfo
		}
		w.log.Log(ctx, level, "the job failed", r.attrs("error", problem.Title, "detail", problem.Detail)...)
	case became == store.Scheduled:
		problem := outcome.Problem()
		w.log.Info("the attempt failed and is retried",
			r.attrs("error", problem.Title, "detail", problem.Detail, "delay", outcome.Delay())...)
	case w.log.Enabled(ctx, slog.LevelDebug):
		w.log.Debug("the attempt ended", r.attrs("state", string(became))...)
	}
}
