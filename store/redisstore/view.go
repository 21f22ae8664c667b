package redisstore

import (
	"fmt"
	"strconv"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// view is what the steps return of a job: the start of its record, the value of a running
// one or "", the summary of an outcome with a key of its own or "", and when a job that is
// over expires or "".
type view struct{ start, value, summary, expires string }

// viewSize is how many values a view has.
const viewSize = 4

// viewOf reads a view from an answer of Redis; ok is false when it is none.
func viewOf(values []any) (v view, ok bool) {
	if len(values) < viewSize {
		return view{}, false
	}
	for i, text := range []*string{&v.start, &v.value, &v.summary, &v.expires} {
		if *text, ok = values[i].(string); !ok {
			return view{}, false
		}
	}
	return v, true
}

// job reads the job, and reports whether it has a response.
func (v view) job(id string) (job store.Job, responded bool, err error) {
	h, rest, err := readHead(v.start)
	if err == nil {
		job, err = h.job(id)
	}
	if err != nil {
		return store.Job{}, false, err
	}
	outcome := v.summary
	switch {
	case v.value != "":
		err = v.run(&job)
		return job, false, err
	case job.State == store.Completed || job.State == store.Canceled:
		outcome = rest
	}
	if job.State.Terminal() {
		expires, err := strconv.ParseInt(v.expires, 10, 64)
		if err != nil {
			return store.Job{}, false, fmt.Errorf("job %s: %w", id, errRecord)
		}
		job.ExpiresAt = time.UnixMilli(expires).UTC()
		job.FinishedAt = job.ExpiresAt.Add(-time.Duration(h.number(atRetention, 6)) * time.Millisecond)
	}
	responded, err = addSummary(&job, outcome)
	return job, responded, err
}

// run makes a queued job one that runs. Of an earlier attempt only the problem is left.
func (v view) run(job *store.Job) error {
	if len(v.value) < claimedSize {
		return fmt.Errorf("job %s: %w", job.ID, errRecord)
	}
	started := number(v.value[atClaimStarted:atClaimNumber])
	if _, err := addSummary(job, v.summary); err != nil {
		return err
	}
	job.Progress, job.Response = store.Progress{}, store.Response{}
	asClaimed(job, started)
	if changes := v.value[claimedSize:]; len(changes) >= changedSize {
		job.Version = number(changes[:6])
		if ms := number(changes[6:changedSize]); ms != 0 {
			job.CancelRequestedAt = time.UnixMilli(ms).UTC()
		}
		job.Progress = decodeProgress(changes[changedSize:])
	}
	return nil
}

// asClaimed makes the changes to a job that a claim makes.
func asClaimed(job *store.Job, started int64) {
	job.State = store.InProgress
	job.Version++
	job.Attempt++
	job.StartedAt = time.UnixMilli(started).UTC()
}

// The value of a running job: session, number of the claim among those of the session, its
// time, and its number among those of the job. Behind them is what has changed since:
// version, time of the request to stop, progress.
const (
	atClaimTurn    = sessionChars
	atClaimStarted = atClaimTurn + 6
	atClaimNumber  = atClaimStarted + 6
	claimedSize    = atClaimNumber + 6
	changedSize    = 12
)

// claimedValue is the value of a job as it was claimed.
func claimedValue(session string, turn, started, claim int64) string {
	var v [claimedSize]byte
	copy(v[:], session)
	putNumber(v[atClaimTurn:atClaimStarted], turn)
	putNumber(v[atClaimStarted:atClaimNumber], started)
	putNumber(v[atClaimNumber:], claim)
	return string(v[:])
}

// jobOf reads a job that has to be there, from a step that answers with a view.
func jobOf(step, id string, reply any) (store.Job, error) {
	if reply == nil {
		return store.Job{}, store.ErrNotFound
	}
	values, _ := reply.([]any)
	v, ok := viewOf(values)
	if !ok {
		return store.Job{}, errReply(step, reply)
	}
	job, _, err := v.job(id)
	return job, err
}
