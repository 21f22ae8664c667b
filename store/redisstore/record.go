package redisstore

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// The fields of a job in the order of FIELDS in base.lua. Fields that only later
// states give a meaning may be left over from earlier ones: decode knows which.
const (
	fieldState = iota
	fieldVersion
	fieldAttempt
	fieldMaxAttempts
	fieldClaim
	fieldQueue
	fieldOwner
	fieldRoute
	fieldCreated
	fieldReady
	fieldDue
	fieldStarted
	fieldFinished
	fieldCancelRequested
	fieldRetention
	fieldResponse
	fieldProgress
	fieldProblem
	fieldCount
)

// fields are the names for HMGET.
func fields() []string {
	return []string{
		"s", "v", "n", "m", "c", "q", "o", "rt", "cr", "rd", "du", "st", "fi", "ca", "e", "r", "p", "d",
	}
}

// record is the values of the fields as Redis sent them.
type record []any

// text returns a field; "" when it is not set.
func (r record) text(field int) string {
	switch value := r[field].(type) {
	case string:
		return value
	case int64:
		return strconv.FormatInt(value, 10)
	}
	return ""
}

// number returns a field; 0 when it is not set.
func (r record) number(field int) int64 {
	switch value := r[field].(type) {
	case int64:
		return value
	case string:
		n, err := strconv.ParseInt(value, 10, 64)
		if err == nil {
			return n
		}
	}
	return 0
}

// instant returns a field in milliseconds; the zero time when it is not set.
func (r record) instant(field int) time.Time {
	if ms := r.number(field); ms != 0 {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

// job reads the job; found is false when there was none.
func (r record) job(id string) (job store.Job, found bool, err error) {
	if len(r) < fieldCount {
		return store.Job{}, false, fmt.Errorf("redisstore: a job with %d fields instead of %d", len(r), fieldCount)
	}
	if r[fieldState] == nil {
		return store.Job{}, false, nil
	}
	job = store.Job{
		ID: id, Route: r.text(fieldRoute), Queue: r.text(fieldQueue), Owner: r.text(fieldOwner),
		State: store.State(r.text(fieldState)), Version: r.number(fieldVersion),
		Attempt: int(r.number(fieldAttempt)), MaxAttempts: int(r.number(fieldMaxAttempts)),
		CreatedAt: r.instant(fieldCreated), ReadyAt: r.instant(fieldReady), StartedAt: r.instant(fieldStarted),
		CancelRequestedAt: r.instant(fieldCancelRequested),
	}
	if !job.State.Valid() {
		return store.Job{}, false, fmt.Errorf("redisstore: job %s has the unknown state %q", id, job.State)
	}
	if job.State == store.Scheduled {
		job.DueAt = r.instant(fieldDue)
	}
	if job.State.Terminal() {
		job.FinishedAt = r.instant(fieldFinished)
		job.ExpiresAt = job.FinishedAt.Add(time.Duration(r.number(fieldRetention)) * time.Millisecond)
	}
	job.Response = decodeResponse(r.text(fieldResponse))
	job.Progress = decodeProgress(r.text(fieldProgress), r.number(fieldClaim))
	job.Problem, err = decodeProblem(r.text(fieldProblem))
	return job, true, err
}

// encodeResponse sums up a result: status, number of bytes and content type.
func encodeResponse(response store.Response) string {
	return strconv.Itoa(response.Status) + " " + strconv.FormatInt(response.Bytes, 10) + " " + response.ContentType
}

func decodeResponse(text string) store.Response {
	status, rest, _ := strings.Cut(text, " ")
	length, contentType, _ := strings.Cut(rest, " ")
	code, _ := strconv.Atoi(status)
	size, _ := strconv.ParseInt(length, 10, 64)
	return store.Response{Status: code, Bytes: size, ContentType: contentType}
}

// encodeProgress is a report without what Redis puts before it: the numbers of its
// claim and its call, and between them its time.
func encodeProgress(progress store.Progress) string {
	return strconv.FormatFloat(progress.Percent, 'g', -1, 64) + " " + progress.Message
}

// decodeProgress reads the report of the latest claim; a report of an earlier one is
// forgotten.
func decodeProgress(text string, latest int64) store.Progress {
	claim, rest, _ := strings.Cut(text, " ")
	at, rest, _ := strings.Cut(rest, " ")
	_, rest, _ = strings.Cut(rest, " ")
	percent, message, _ := strings.Cut(rest, " ")
	if number, err := strconv.ParseInt(claim, 10, 64); err != nil || number != latest {
		return store.Progress{}
	}
	ms, _ := strconv.ParseInt(at, 10, 64)
	value, _ := strconv.ParseFloat(percent, 64)
	return store.Progress{Percent: value, Message: message, UpdatedAt: time.UnixMilli(ms).UTC()}
}

// encodeProblem writes a problem as JSON; "" for none.
func encodeProblem(problem store.Problem) (string, error) {
	if problem.IsZero() {
		return "", nil
	}
	text, err := json.Marshal(problem)
	return string(text), err
}

func decodeProblem(text string) (problem store.Problem, err error) {
	if text == "" {
		return store.Problem{}, nil
	}
	if err := json.Unmarshal([]byte(text), &problem); err != nil {
		return store.Problem{}, fmt.Errorf("redisstore: the problem of a job: %w", err)
	}
	return problem, nil
}

// longestTime bounds durations: the sums that scripts make with them have to stay exact.
const longestTime = 100 * 365 * 24 * time.Hour

// milliseconds rounds a duration up, so that nothing happens too early. At most it is
// 100 years.
func milliseconds(d time.Duration) int64 {
	d = min(max(d, 0), longestTime)
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}
