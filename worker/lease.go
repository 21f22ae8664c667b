package worker

import (
	"context"
	"errors"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// keeper renews the lease of a session and acts on what the store says of the
// session's jobs. It is one goroutine.
type keeper struct {
	worker  *Worker
	session *session
	// lose ends the session.
	lose    context.CancelCauseFunc
	trouble outage
	// missing are the claims that the store thinks are held here but that do not
	// run here, each with the count of Claim calls when that was first seen.
	missing map[store.Ref]int64
}

// keep renews until the session ends.
func (w *Worker) keep(life context.Context, s *session, lose context.CancelCauseFunc) {
	lease := w.cfg.Lease
	k := keeper{
		worker: w, session: s, lose: lose,
		trouble: outage{pace: Backoff{Initial: lease / 50, Max: lease / 6, Factor: 2, Jitter: 0.2}},
	}
	timer := time.NewTimer(lease / 3)
	defer timer.Stop()
	for life.Err() == nil {
		select {
		case <-timer.C:
		case <-s.StopAsked():
		case <-s.renewNow:
		case <-life.Done():
			return
		}
		timer.Reset(k.renew(life))
	}
}

// renew makes one renewal and returns how long to wait for the next. A process
// that was paused past its lease tries too: the lease may still be there.
func (k *keeper) renew(life context.Context) time.Duration {
	began := time.Now()
	ctx, cancel := context.WithTimeout(life, k.patience())
	defer cancel()
	renewal, err := k.session.Renew(ctx)
	switch {
	case err == nil:
		k.renewed(life, renewal, began)
		return k.worker.cfg.Lease / 3
	case life.Err() != nil:
		return 0
	case errors.Is(err, store.ErrLeaseLost) || k.session.sinceRenewed() >= k.worker.cfg.Lease:
		k.worker.log.Error("the lease is lost; its attempts are stopped", "error", err)
		k.lose(store.ErrLeaseLost)
		return 0
	}
	wait, tell := k.trouble.failed()
	if tell {
		k.worker.log.Warn("cannot renew the lease; retrying", "error", err)
	}
	return min(wait, max(k.worker.cfg.Lease-k.session.sinceRenewed(), 0))
}

// patience is the deadline of a renewal: a third of the lease, but not past its
// end, so that a store that hangs does not hide the loss.
func (k *keeper) patience() time.Duration {
	lease := k.worker.cfg.Lease
	left := lease - k.session.sinceRenewed()
	if left <= 0 {
		return lease / 3
	}
	return max(min(lease/3, left), lease/10)
}

// renewed brings what runs here in line with what the store says.
func (k *keeper) renewed(life context.Context, renewal store.Renewal, began time.Time) {
	if k.trouble.over() {
		k.worker.log.Info("renewing the lease works again")
	}
	k.session.markRenewed(began)
	// A Claim call that is over by now has registered what it brought.
	calls := k.session.calls.Load()
	runs := k.worker.crew.byClaim()
	for _, ref := range renewal.Stop {
		if r := runs[ref]; r != nil {
			r.stop(ErrCanceled)
		}
	}
	var absent []store.Ref
	for _, ref := range renewal.Held {
		if runs[ref] == nil {
			absent = append(absent, ref)
		}
		delete(runs, ref)
	}
	k.dropLost(runs, began)
	k.giveBackMissing(life, absent, calls)
}

// dropLost stops the attempts that the store no longer counts as ours. Those
// claimed while the renewal was under way may be too new to be in it, and those that
// are being settled may be so already: there the reply of that write says what is.
func (k *keeper) dropLost(runs map[store.Ref]*run, began time.Time) {
	for _, r := range runs {
		if r.session == k.session && r.since.Before(began) && !r.isOver() {
			k.worker.log.Warn("the job is no longer held by this worker; its attempt is stopped", r.attrs()...)
			r.stop(store.ErrLeaseLost)
		}
	}
}

// giveBackMissing releases claims whose reply was lost: those that were missing in
// the renewal before too, unless a Claim call that may bring them is still under
// way. A claim that was settled meanwhile is refused by the store, which is right.
func (k *keeper) giveBackMissing(life context.Context, absent []store.Ref, calls int64) {
	still := map[store.Ref]int64{}
	for _, ref := range absent {
		first, seen := k.missing[ref]
		if !seen {
			first = calls
		}
		underWay := first%2 == 1 && first == calls
		if !seen || underWay || !k.giveBack(life, ref) {
			still[ref] = first
		}
	}
	k.missing = still
}

// giveBack releases one missing claim; false: try again at the next renewal.
func (k *keeper) giveBack(life context.Context, ref store.Ref) bool {
	err := k.worker.call(life, func(ctx context.Context) error { return k.session.Release(ctx, ref, 0) })
	if err == nil {
		k.worker.log.Warn("gave back a job whose claim never arrived", "job", ref.ID)
	}
	return err == nil || errors.Is(err, store.ErrLeaseLost)
}
