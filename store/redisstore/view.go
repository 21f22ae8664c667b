package redisstore

import (
	"github.com/asyncendpoints/gin-async/store"
)

// runningHead is where the head begins in the value of a running job: behind the session
// and the number of the claim among those of the session.
const runningHead = sessionChars + 6

// view is what the steps return of a job: the start of its record, the value of a running
// one or "", and the summary of an outcome with a key of its own or "".
type view struct{ start, value, summary string }

// viewOf reads a view from an answer of Redis; ok is false when it is none.
func viewOf(values []any) (v view, ok bool) {
	if len(values) < 3 {
		return view{}, false
	}
	start, ok1 := values[0].(string)
	value, ok2 := values[1].(string)
	summary, ok3 := values[2].(string)
	return view{start, value, summary}, ok1 && ok2 && ok3
}

// job reads the job, and reports whether it has a response.
func (v view) job(id string) (job store.Job, responded bool, err error) {
	if v.value != "" {
		job, err = v.running(id)
		return job, false, err
	}
	h, rest, err := readHead(v.start)
	if err == nil {
		job, err = h.job(id)
	}
	if err != nil {
		return store.Job{}, false, err
	}
	outcome := v.summary
	if job.State == store.Completed || job.State == store.Canceled {
		outcome = rest
	}
	responded, err = addSummary(&job, outcome)
	return job, responded, err
}

// running reads a running job. Of an earlier attempt only the problem is left.
func (v view) running(id string) (store.Job, error) {
	if len(v.value) < runningHead {
		return store.Job{}, errRecord
	}
	h, progress, err := readHead(v.value[runningHead:])
	if err != nil {
		return store.Job{}, err
	}
	job, err := h.job(id)
	if err == nil {
		_, err = addSummary(&job, v.summary)
	}
	job.Progress, job.Response = decodeProgress(progress), store.Response{}
	return job, err
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
