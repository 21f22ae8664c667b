package memstore

import (
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// record is a job and all that belongs to it. It is kept small, because a store
// holds very many and the garbage collector reads each: rare parts are pointers,
// and times are numbers.
type record struct {
	id, route string
	state     store.State
	queue     *queue
	owner     *ledger
	keyed     *reservation // nil without an idempotency key

	version              int64
	attempt, maxAttempts int
	created, ready, due  stamp
	started, finished    stamp
	cancelRequested      stamp
	progress             *store.Progress // nil: none reported
	problem              *store.Problem  // nil: none
	response             store.Response

	// The bytes never change once they are stored, only the fields that name them.
	payload     []byte // the request, then the envelope
	requestSize int
	result      []byte // nil: none

	retention time.Duration
	until     elapsed  // when a scheduled job is due, a finished one expires
	seq       uint64   // order of creation
	number    number   // in the index
	tag       uint32   // in its table
	slot      int      // index in the owner's ledger, counted from its origin
	holder    *session // nil unless in_progress
	claim     int64    // number of the latest claim

	// settled is what the latest Settle did, for the caller that asks again.
	settled settlement

	prev, next number // neighbours in the chain the record is in
	index      int    // place in the schedule's heap
}

// reservation is an idempotency key and what tells its requests apart.
type reservation struct {
	key, fingerprint string
}

// settlement is one applied Settle: whose, of which claim, and what it did.
type settlement struct {
	session uint64
	claim   int64
	state   store.State
}

// view returns the job as the world sees it.
func (r *record) view() store.Job {
	job := store.Job{
		ID: r.id, Route: r.route, Queue: r.queue.name, Owner: r.owner.name,
		State: r.state, Version: r.version,
		Attempt: r.attempt, MaxAttempts: r.maxAttempts,
		CreatedAt: r.created.time(), ReadyAt: r.ready.time(), DueAt: r.due.time(),
		StartedAt: r.started.time(), FinishedAt: r.finished.time(),
		CancelRequestedAt: r.cancelRequested.time(),
		Response:          r.response,
	}
	if r.finished != 0 {
		job.ExpiresAt = job.FinishedAt.Add(r.retention)
	}
	if r.progress != nil {
		job.Progress = *r.progress
	}
	if r.problem != nil {
		job.Problem = *r.problem
	}
	return job
}

// size is the number of bytes that WithMaxBytes bounds.
func (r *record) size() int64 { return int64(len(r.payload) + len(r.result)) }

// expired reports whether the retention of a finished job is over.
func (r *record) expired(now moment) bool {
	return r.finished != 0 && r.until <= now.elapsed
}

// canceling reports whether the running job was asked to stop.
func (r *record) canceling() bool { return r.cancelRequested != 0 }

// setProblem keeps memory for those jobs only that have a problem.
func (r *record) setProblem(problem store.Problem) {
	r.problem = nil
	if !problem.IsZero() {
		r.problem = &problem
	}
}
