package store

import "time"

// Job is the visible state of one accepted request. It carries neither the
// stored request nor the result. Times that have not come yet are zero.
type Job struct {
	// ID names the job; see [NewID].
	ID string
	// Route names the handler: the same in every process.
	Route string
	// Queue names the line the job waits in.
	Queue string
	// Owner is who may see the job; empty when the application names no owners.
	Owner string
	// State is where the job is in its life.
	State State
	// Version counts visible changes: 1 when created, one more for each.
	Version int64
	// Attempt numbers the running or latest attempt: 0 before the first. It never
	// goes back, except that an attempt given back by Release or Leave is not counted.
	Attempt int
	// MaxAttempts is the number of the last attempt the job may have.
	MaxAttempts int
	// CreatedAt is when the job was stored.
	CreatedAt time.Time
	// ReadyAt is since when the job could have run: its creation plus its delay,
	// or the time of its retry. Release does not move it.
	ReadyAt time.Time
	// DueAt is when a scheduled job may be claimed; zero in other states.
	DueAt time.Time
	// StartedAt is when the running or latest attempt was claimed.
	StartedAt time.Time
	// FinishedAt is when the job reached a terminal state.
	FinishedAt time.Time
	// ExpiresAt is when a terminal job is removed.
	ExpiresAt time.Time
	// CancelRequestedAt is when a running job was asked to stop.
	CancelRequestedAt time.Time
	// Progress is the latest report of the running or latest attempt.
	Progress Progress
	// Response sums up the result; zero when there is none.
	Response Response
	// Problem is why the latest attempt did not complete; zero when none failed.
	Problem Problem
}

// Progress is what an attempt says of how far it got.
type Progress struct {
	// Percent is between 0 and 100.
	Percent float64
	// Message is free text for people.
	Message string
	// UpdatedAt is when it was stored; zero when nothing was reported. Stores set it.
	UpdatedAt time.Time
}

// Response sums up a result without its content.
type Response struct {
	// Status is the HTTP status code; 0 when there is no result.
	Status int
	// ContentType is the Content-Type header.
	ContentType string
	// Bytes is the length of the body.
	Bytes int64
}

// Problem is why an attempt did not complete, with the members of RFC 9457.
// The zero value means that there is none.
type Problem struct {
	// Type is a short name, such as "timeout".
	Type string
	// Title says the same to people; one text for a type.
	Title string
	// Status is the HTTP status code that stands for the problem.
	Status int
	// Detail says what is special about this occurrence.
	Detail string
}

// IsZero reports whether there is no problem.
func (p Problem) IsZero() bool { return p == Problem{} }

// WorkerLost is the problem of a job that lost its worker in every attempt.
func WorkerLost() Problem {
	return Problem{
		Type: "worker-lost", Title: "worker lost", Status: 500,
		Detail: "the worker process ended during every attempt",
	}
}

// Result is the recorded response of an attempt.
type Result struct {
	Response
	// Data is the whole response. Stores do not look into it.
	Data []byte
}

// NewJob is what Create stores.
type NewJob struct {
	// Route, Queue and Owner become the job's.
	Route, Queue, Owner string
	// MaxAttempts is the number of attempts in all; at least 1.
	MaxAttempts int
	// Delay is how long the job waits as scheduled before it is queued; 0: not at all.
	Delay time.Duration
	// Retention is how long the job is kept after it is over.
	Retention time.Duration
	// Request is the stored request and Envelope what belongs to it; both are
	// opaque to stores. The caller may reuse the slices after Create returns.
	Request, Envelope []byte
	// Key is the idempotency key in its whole scope; empty: none.
	Key string
	// Fingerprint tells requests with the same key apart.
	Fingerprint string
	// MaxWaiting bounds the queued and scheduled jobs of the store: Create returns
	// ErrFull when there are as many already. 0: no bound.
	MaxWaiting int
	// MaxWaitingOfOwner bounds the queued and scheduled jobs of Owner: Create returns
	// ErrOwnerFull, also when the store is full, when there are as many already. Those
	// created without this bound may be left out of the count. 0, and an empty Owner: no
	// bound.
	MaxWaitingOfOwner int
}
