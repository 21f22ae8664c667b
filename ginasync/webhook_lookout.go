package ginasync

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// lookoutAttempts is how often a lookout may lose its worker or fail. Looks that find the
// job not over are not counted.
const lookoutAttempts = 100

// lookoutPace is how long after the last look a lookout comes back.
func lookoutPace() worker.Backoff {
	return worker.Backoff{Initial: 10 * time.Second, Max: 2 * time.Minute, Factor: 1.5, Jitter: 0.1}
}

// lookout is what a lookout knows.
type lookout struct {
	Job      string `json:"job"`
	Callback string `json:"callback,omitempty"`
}

// watch makes the lookout of a new job, if events of it are to be sent.
func (w *webhooks) watch(ctx context.Context, job Job, callback string, retention time.Duration) error {
	if w == nil || over(job) || callback == "" && len(w.subscriptions(job.Route)) == 0 {
		return nil
	}
	_, _, err := w.manager.store.Create(ctx, newLookout(job, callback, retention, ""))
	return err
}

// watchAgain sees to it that a failed job that is tried again has a lookout. A lookout
// ends as its job does, so that the same one can be tried again: it knows the callback.
func (w *webhooks) watchAgain(ctx context.Context, job Job, retention time.Duration) error {
	if w == nil || reserved(job.Route) || w.cfg.header == "" && len(w.subscriptions(job.Route)) == 0 {
		return nil
	}
	jobs := w.manager.store
	there, _, err := jobs.Create(ctx, newLookout(job, "", retention, ""))
	switch {
	case err != nil:
	case there.State == store.Failed:
		if _, err = jobs.Retry(ctx, there.ID, lookoutAttempts); errors.Is(err, store.ErrNotFailed) {
			err = nil // somebody else was first
		}
	case there.State == store.InProgress:
		// It may have seen the end that the job had before, and be about to end itself.
		_, _, err = jobs.Create(ctx, newLookout(job, "", retention, strconv.FormatInt(job.Version, 10)))
	}
	return err
}

func newLookout(job Job, callback string, retention time.Duration, round string) store.NewJob {
	return store.NewJob{
		Route: lookoutRoute, Queue: webhookQueue, Owner: lookoutOwner,
		MaxAttempts: lookoutAttempts, Delay: lookoutPace().Delay(1), Retention: retention,
		Request: encodeOwn(lookout{Job: job.ID, Callback: callback}),
		Key:     lookoutRoute + "\x00" + job.ID + "\x00" + round,
	}
}

// look runs a lookout once.
func (w *webhooks) look(ctx context.Context, claim store.Claim) worker.Report {
	var on lookout
	if err := json.Unmarshal(claim.Request, &on); err != nil {
		return w.unreadable(claim)
	}
	later := worker.Report{Postpone: lookoutPace().Delay(int(min(claim.Ref.Claim, 1000)))}
	job, err := w.manager.Get(ctx, on.Job)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return worker.Report{} // removed since; the deliveries, if there are any, go on
	case err == nil && !over(job):
		return later
	case err == nil:
		err = w.announce(ctx, job, on.Callback)
	}
	switch {
	case err != nil:
		w.leaveToLookout(on.Job, err)
		return later
	case job.State == store.Failed:
		return worker.Report{Problem: ownProblem(failedWithJob, "the job that was watched has failed", http.StatusFailedDependency)}
	default:
		return worker.Report{}
	}
}

// unreadable ends an attempt of a job that this process cannot read. Another one may have
// the key.
func (w *webhooks) unreadable(claim store.Claim) worker.Report {
	problem := ownProblem(notReadable, "what was stored cannot be read", http.StatusInternalServerError)
	return worker.Report{Problem: problem, Retry: isSealed(claim.Request) || isSealed(claim.Envelope), RetryAfter: w.pause(claim.Job.Attempt)}
}

// Problems of the library's own jobs, which clients never see.
const (
	failedWithJob = "job-failed"
	notReadable   = "unreadable"
	notDelivered  = "not-delivered"
)

// ownProblem makes a problem that the log tells quietly if its status is below 500.
func ownProblem(kind, detail string, status int) store.Problem {
	return store.Problem{Type: kind, Title: "webhook: " + kind, Status: status, Detail: detail}
}
