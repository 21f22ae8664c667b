package redisstore

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// A record is a job in Redis, one string: a head of fixed length, the names, and behind
// them the payload until the request is not needed any more, then the outcome. layout.lua
// is the other side. Numbers are little-endian.
const (
	// timesSize is that of the times in front, which Redis puts in when a job is created.
	timesSize = 3 * 6
	headSize  = 81
	// digestSize is that of the digest of an idempotency key, which stands before the
	// fingerprint.
	digestSize = 22
)

// Where fields are in a head, and behind that where they end.
const (
	atCreated         = 0
	atReady           = 6
	atDue             = 12
	atState           = 18
	atFlags           = 19
	atVersion         = 20
	atAttempt         = 26
	atClaim           = 30
	atStarted         = 36
	atCancelRequested = 42
	atMaxAttempts     = 48
	atRetention       = 52
	atLength          = 58 // of head and names
	atMarkState       = 62 // the latest settle: state, claim and session
	atMarkNumber      = 63
	atMarkSession     = 69
)

// Flags.
const (
	flagOwned = 1 << iota
	flagKeyed
	flagApart // the outcome has a key of its own
	flagGiven // somebody got the job by its idempotency key
	flagBound // it was created under a bound on the waiting jobs of its owner
)

// letterText is how a state is written in a record; empty: it is none.
func letterText(state store.State) string {
	switch state {
	case store.Queued:
		return "q"
	case store.Scheduled:
		return "s"
	case store.InProgress:
		return "r" // in the value of a running job only
	case store.Completed:
		return "c"
	case store.Failed:
		return "f"
	case store.Canceled:
		return "x"
	}
	return ""
}

// stateOf is the state that a letter stands for; empty: none.
func stateOf(letter byte) store.State {
	switch letter {
	case 'q':
		return store.Queued
	case 's':
		return store.Scheduled
	case 'r':
		return store.InProgress
	case 'c':
		return store.Completed
	case 'f':
		return store.Failed
	case 'x':
		return store.Canceled
	}
	return ""
}

var (
	errRecord = errors.New("redisstore: a stored job is damaged, or of another version")
	errName   = fmt.Errorf("redisstore: queue, owner and route are at most %d bytes long, a fingerprint %d", math.MaxUint16, math.MaxUint16-digestSize)
)

// newRecord returns the record of a new job without its times. key is the digest of its
// idempotency key, or empty.
func newRecord(job *store.NewJob, key string) (string, error) {
	names := [...]string{job.Queue, job.Owner, job.Route, ""}
	if key != "" {
		names[3] = key + job.Fingerprint
	}
	length := headSize
	for _, name := range names {
		if len(name) > math.MaxUint16 {
			return "", errName
		}
		length += 2 + len(name)
	}
	var r strings.Builder
	r.Grow(length - timesSize + payloadSize(job.Request, job.Envelope))
	h := newHead(job, key != "", length)
	r.Write(h[timesSize:])
	for _, name := range names {
		r.WriteByte(byte(len(name)))
		r.WriteByte(byte(len(name) >> 8))
		r.WriteString(name)
	}
	writePayload(&r, job.Request, job.Envelope)
	return r.String(), nil
}

// newHead is the head of a new job; its times are still to come.
func newHead(job *store.NewJob, keyed bool, length int) (h [headSize]byte) {
	state := store.Queued
	if job.Delay > 0 {
		state = store.Scheduled
	}
	h[atState] = letterText(state)[0]
	if job.Owner != "" {
		h[atFlags] |= flagOwned
	}
	if job.Owner != "" && job.MaxWaitingOfOwner > 0 {
		h[atFlags] |= flagBound
	}
	if keyed {
		h[atFlags] |= flagKeyed
	}
	putNumber(h[atVersion:atAttempt], 1)
	putNumber(h[atMaxAttempts:atRetention], int64(min(max(job.MaxAttempts, 1), math.MaxInt32)))
	putNumber(h[atRetention:atLength], retention(job.Retention))
	putNumber(h[atLength:atMarkState], int64(length))
	return h
}

// retention is at least a millisecond: in the step that ends it a job is still there.
func retention(d time.Duration) int64 { return max(milliseconds(d), 1) }

// head is the head and the names that a text begins with.
type head string

// readHead returns the head that text begins with, and what stands behind its names.
func readHead(text string) (h head, rest string, err error) {
	if len(text) < headSize {
		return "", "", errRecord
	}
	length := int(number(text[atLength : atLength+4]))
	if length < headSize || length > len(text) {
		return "", "", errRecord
	}
	return head(text[:length]), text[length:], nil
}

func (h head) number(at, size int) int64 { return number(string(h[at : at+size])) }

// instant returns a time; the zero time when it has not come.
func (h head) instant(at int) time.Time {
	if ms := h.number(at, 6); ms != 0 {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

// job reads the job as the head has it.
func (h head) job(id string) (store.Job, error) {
	queue, rest, ok := cutName(string(h[headSize:]))
	owner, rest, ok2 := cutName(rest)
	route, _, ok3 := cutName(rest)
	state := stateOf(h[atState])
	if !ok || !ok2 || !ok3 || state == "" {
		return store.Job{}, fmt.Errorf("job %s: %w", id, errRecord)
	}
	job := store.Job{
		ID: id, Route: route, Queue: queue, Owner: owner,
		State: state, Version: h.number(atVersion, 6),
		Attempt: int(h.number(atAttempt, 4)), MaxAttempts: int(h.number(atMaxAttempts, 4)),
		CreatedAt: h.instant(atCreated), ReadyAt: h.instant(atReady), StartedAt: h.instant(atStarted),
		CancelRequestedAt: h.instant(atCancelRequested),
	}
	if state == store.Scheduled {
		job.DueAt = h.instant(atDue)
	}
	return job, nil
}

func (h head) has(flag byte) bool { return h[atFlags]&flag != 0 }

// cutName cuts a name off that s begins with.
func cutName(s string) (name, rest string, ok bool) {
	if len(s) < 2 {
		return "", "", false
	}
	end := 2 + int(s[0]) + int(s[1])<<8
	if end > len(s) {
		return "", "", false
	}
	return s[2:end], s[end:], true
}

func number(text string) (n int64) {
	for i := len(text) - 1; i >= 0; i-- {
		n = n<<8 | int64(text[i])
	}
	return n
}

func putNumber(dst []byte, n int64) {
	for i := range dst {
		dst[i] = byte(n)
		n >>= 8
	}
}

// longestTime bounds durations: the sums that scripts make with them have to stay exact.
const longestTime = 100 * 365 * 24 * time.Hour

// milliseconds rounds a duration up, so that nothing happens too early. At most it is
// 100 years.
func milliseconds(d time.Duration) int64 {
	d = min(max(d, 0), longestTime)
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}
