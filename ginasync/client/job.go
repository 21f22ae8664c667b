package client

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"time"
)

const (
	// outage is how long polls may fail in a row.
	outage = 5 * time.Minute
	// cancelWithin is how long a caller whose context is done waits for the cancellation.
	cancelWithin = 3 * time.Second
)

// job is a request on its way from its 202 to its response.
type job struct {
	transport *Transport
	req       *http.Request // the caller's; not changed
	latest    Status
	wait      time.Duration // of the next polls; 0: none

	self, result, stop *url.URL // nil when there is none

	failures int // in a row
	failing  time.Time
}

// locate resolves the URLs of the job.
func (j *job) locate() (err error) {
	links := j.latest.Links
	if j.self, err = resolve(j.req.URL, links.Self); err == nil && links.Result != "" {
		j.result, err = resolve(j.req.URL, links.Result)
	}
	if err == nil && links.Cancel != "" {
		j.stop, err = resolve(j.req.URL, links.Cancel)
	}
	if err != nil {
		return j.fail(err)
	}
	return nil
}

// await polls the result until there is one, and returns it with its body unread.
func (j *job) await() (*http.Response, error) {
	if j.result == nil {
		return nil, j.fail(ErrCanceled) // nothing else is done and has no result
	}
	for {
		answer, err := j.poll(j.result, func(http.Header) {})
		var body []byte
		switch {
		case err != nil:
		case hasResult(answer.Response):
			var final *http.Response
			if final, err = answer.final(); err == nil {
				return final, nil
			}
		default:
			body, err = answer.take()
		}
		if err := j.goOn(answer, body, err); err != nil {
			return nil, err
		}
	}
}

// goOn pauses as the answer to a poll of the result wants it, or says why there will be
// none. err is why there is no answer.
func (j *job) goOn(answer *polled, body []byte, err error) error {
	if err != nil || answer.StatusCode != http.StatusConflict {
		return j.repeat(answer, body, err)
	}
	problem := parseProblem(answer.Header.Get("Content-Type"), body)
	asked, unfinished := retryAfter(answer.Header, time.Now())
	switch { // by type as far as the server has kept ginasync's problems, else by the header
	case problem.is("job-canceled"), !unfinished && !problem.is("job-not-finished"):
		return j.failWith(answer, body, ErrCanceled)
	default:
		j.failures = 0
		return j.pause(until(asked, floor, answer.took))
	}
}

// repeat pauses before a poll that failed is repeated, or returns the error that ends it:
// the answer is one that will stay, or polls have failed for too long.
func (j *job) repeat(answer *polled, body []byte, err error) error {
	var asked time.Duration
	switch {
	case j.req.Context().Err() != nil:
		return j.fail(context.Cause(j.req.Context()))
	case err != nil:
	case answer.StatusCode == http.StatusNotFound, answer.StatusCode == http.StatusGone:
		return j.failWith(answer, body, ErrGone)
	case !isTemporary(answer.StatusCode):
		return j.failWith(answer, body, errUnexpected)
	default:
		asked, _ = retryAfter(answer.Header, time.Now())
	}
	if j.failures++; j.failures == 1 {
		j.failing = time.Now()
	} else if time.Since(j.failing) > outage {
		return j.failWith(answer, body, cmp.Or(err, errFailing))
	}
	if answer.took >= floor { // it failed while it waited: perhaps something between does not like that
		j.wait = (j.wait / 2).Truncate(time.Second)
	}
	return j.pause(max(until(asked, 0, 0), backoff(j.failures)))
}

// isTemporary reports whether a status may be another one the next time.
func isTemporary(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	default:
		return status >= http.StatusInternalServerError
	}
}

// pause waits before the next poll.
func (j *job) pause(d time.Duration) error {
	if err := pause(j.req.Context(), d); err != nil {
		return j.fail(err)
	}
	return nil
}

// fail makes the error that the caller gets.
func (j *job) fail(err error) *JobError {
	e := &JobError{ID: j.latest.ID, URL: j.latest.Links.Self, Err: err}
	if j.self != nil {
		e.URL = j.self.String()
	}
	return e
}

// failWith is fail with what the last poll was answered, if it was.
func (j *job) failWith(answer *polled, body []byte, err error) *JobError {
	e := j.fail(err)
	if answer.Response != nil {
		e.StatusCode = answer.StatusCode
		e.Problem = parseProblem(answer.Header.Get("Content-Type"), body)
	}
	return e
}

// cancel asks the server to stop the job, whose caller has gone.
func (j *job) cancel() {
	if j.stop == nil {
		return
	}
	ctx, end := context.WithTimeout(context.WithoutCancel(j.req.Context()), cancelWithin)
	defer end()
	resp, err := j.transport.roundTripper().RoundTrip(j.request(ctx, http.MethodPost, j.stop))
	if err == nil {
		_ = resp.Body.Close()
	}
}
