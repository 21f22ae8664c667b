package client

import (
	"net/http"
	"strconv"
	"time"
)

// watch reports each change of the job until it is over. It ends early, without an
// error, when the server writes status documents that are not ginasync's.
func (j *job) watch() error {
	tag := `"` + strconv.FormatInt(j.latest.Version, 10) + `"`
	j.transport.progress(j.latest)
	for !j.latest.Done {
		answer, err := j.poll(j.self, func(h http.Header) {
			h.Set("If-None-Match", tag)
			h.Del("Accept-Encoding") // the base transport undoes its own
		})
		var body []byte
		if err == nil {
			body, err = answer.take()
		}
		if err != nil || answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusNotModified {
			if err := j.repeat(answer, body, err); err != nil {
				return err
			}
			continue
		}
		j.failures = 0
		if answer.StatusCode == http.StatusOK {
			status, err := parseStatus(body)
			if err != nil {
				return nil //nolint:nilerr // the result is waited for all the same
			}
			tag = answer.Header.Get("ETag")
			j.report(status)
		}
		if err := j.pauseForNews(answer); err != nil {
			return err
		}
	}
	return nil
}

// report passes on a document that is another one.
func (j *job) report(status Status) {
	changed := status.Version != j.latest.Version
	j.latest = status
	if changed {
		j.transport.progress(status)
	}
}

// pauseForNews keeps to Retry-After unless the server waits for changes itself.
func (j *job) pauseForNews(answer *polled) error {
	if j.latest.Done {
		return nil
	}
	asked, there := retryAfter(answer.Header, time.Now())
	least := newsFloor
	if !there || j.wait == 0 {
		least = floor
	}
	return j.pause(until(asked, least, answer.took))
}
