package store

import (
	"context"
	"time"
)

// Store keeps jobs: Jobs is the side of those who create and follow them,
// Workers the side of those who run them.
type Store interface {
	Jobs
	Workers
}

// Jobs creates, shows and controls jobs.
type Jobs interface {
	// Create stores a job, queued or scheduled, and returns it with created true.
	// It draws the id. If job.Key is held by a job with the same fingerprint, it
	// stores nothing and returns that job as it is now, with created false; the key
	// is reserved in the same step that stores the job and freed when the job is
	// removed. Errors: ErrFull, ErrOwnerFull, ErrKeyReused; all leave nothing, and the
	// first two leave the key free. A key that is held is looked at before the bounds,
	// and they are checked in the step that stores the job.
	Create(ctx context.Context, job NewJob) (j Job, created bool, err error)

	// Get returns the job as it is now. Errors: ErrNotFound.
	Get(ctx context.Context, id string) (Job, error)

	// Result returns the job and its recorded response; nil when it has none.
	// Errors: ErrNotFound.
	Result(ctx context.Context, id string) (Job, []byte, error)

	// List returns jobs of one owner, newest first. Errors: ErrBadCursor.
	List(ctx context.Context, query Query) (Page, error)

	// Cancel makes a waiting job canceled. A running job is marked: its session is
	// told, and however the attempt ends, the job ends canceled. Cancelling a job
	// that is canceled or marked changes nothing and is no error. Returned is the job
	// after the call, with ErrFinished too. Errors: ErrNotFound, ErrFinished.
	Cancel(ctx context.Context, id string) (Job, error)

	// Retry queues a failed job again under the same id, with that many more
	// attempts, counted on from the last one. Result, problem and progress are
	// removed. Errors: ErrNotFound, ErrNotFailed; the latter comes with the job.
	Retry(ctx context.Context, id string, attempts int) (Job, error)

	// Delete removes a job that is over, with its result and its key.
	// Errors: ErrNotFound, ErrNotFinished.
	Delete(ctx context.Context, id string) error

	// Watch returns a channel that receives after each change of the job made from
	// now on; changes that come together may be told once. To miss none, watch
	// first and then Get. The id need not exist. The watch ends with ctx; the
	// channel is not closed.
	Watch(ctx context.Context, id string) (<-chan struct{}, error)

	// Stats counts the jobs of the store.
	Stats(ctx context.Context) (Stats, error)
}

// Workers lets worker processes in and cleans up after those that died.
type Workers interface {
	// Join opens a session for a worker process. The lease is how long the session
	// lives without a Renew. The name is for people and need not be unique.
	Join(ctx context.Context, worker string, lease time.Duration) (Session, error)

	// Reclaim takes up to limit jobs from sessions whose lease ran out, and ends
	// those sessions once nothing is left of them. Each job returns to the head of
	// its queue, its attempt counted; it ends failed with WorkerLost when that was
	// the last attempt, and canceled when it was asked to stop. A session is checked
	// and its jobs are taken in one atomic step. It also removes what has outlived
	// its retention. It returns how many jobs it took: with limit, there may be more.
	Reclaim(ctx context.Context, limit int) (int, error)
}

// Session is one worker process's lease on a store. Its token, which only the
// store knows, fences every write. After ErrLeaseLost from Renew the session is
// over: join anew.
type Session interface {
	// Claim hands up to Max jobs of each wanted queue to the session, those that
	// waited longest first. Scheduled jobs whose time has come are queued in the same
	// step. Claimed jobs are in_progress, with their attempt counted up. It does not
	// wait for jobs: none is no error. Errors: ErrLeaseLost.
	Claim(ctx context.Context, want []Want) (Batch, error)

	// Settle ends an attempt and returns the state the job has then: canceled when
	// the job was asked to stop, else the outcome's. A repeated Settle of the same
	// claim changes nothing and returns what the first one did.
	// Errors: ErrLeaseLost.
	Settle(ctx context.Context, ref Ref, outcome Outcome) (State, error)

	// Report stores the progress of an attempt. Errors: ErrLeaseLost.
	Report(ctx context.Context, ref Ref, progress Progress) error

	// Release gives a job back without counting the attempt: to the head of its
	// queue, or with a delay as scheduled. A job that was asked to stop ends canceled.
	// Errors: ErrLeaseLost.
	Release(ctx context.Context, ref Ref, delay time.Duration) error

	// Renew starts the lease anew and tells what the store knows of the session's
	// jobs. A lease that ran out can be renewed as long as Reclaim has not taken
	// the session. Errors: ErrLeaseLost.
	Renew(ctx context.Context) (Renewal, error)

	// Arrived receives when a Claim may find more than the last one did: a job came
	// to a queue that was empty, or became the next one due. A hint: it may be
	// missed over a network, and it may come for nothing.
	Arrived() <-chan struct{}

	// StopAsked receives when a running job of the session was asked to stop: Renew
	// tells which. A hint like Arrived.
	StopAsked() <-chan struct{}

	// Leave ends the session and releases the jobs it still holds. Leaving a session
	// that is over is no error.
	Leave(ctx context.Context) error
}

// Want is how many jobs of a queue a session has room for.
type Want struct {
	Queue string
	Max   int
}

// Ref names one claim of a job: the job's id and the number of the claim. The claims
// of a job are counted from 1, those that were released or lost with the others, so
// that no number is used twice.
type Ref struct {
	ID    string
	Claim int64
}

// Claim is a job handed to a session, with what its handler needs. The receiver
// owns the slices.
type Claim struct {
	Ref               Ref
	Job               Job
	Request, Envelope []byte
}

// Batch is what one Claim call found.
type Batch struct {
	Claims []Claim
	// NextDue is how long until the next scheduled job of a wanted queue is due;
	// negative when there is none.
	NextDue time.Duration
}

// Renewal is what the store knows of a session's jobs.
type Renewal struct {
	// Held are all claims the store thinks the session holds.
	Held []Ref
	// Stop are those of them that were asked to stop.
	Stop []Ref
}

// Query chooses the jobs that List returns.
type Query struct {
	// Owner is compared exactly; the empty owner has the jobs without one.
	Owner string
	// States and Route filter; empty: any.
	States []State
	Route  string
	// Cursor is Page.Next of the page before; empty: the first page.
	Cursor string
	// Limit is the size of the page: 1 to 200, 0 means 50, more means 200.
	Limit int
}

// Page is one page of List.
type Page struct {
	Jobs []Job
	// Next is the cursor of the next page; empty when this is the last.
	Next string
}

// Stats counts the jobs of a store by state, and its live sessions.
type Stats struct {
	Queued, Scheduled, InProgress, Finished, Sessions int
}
