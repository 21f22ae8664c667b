package store

import "errors"

var (
	// ErrNotFound is returned when the store has no job of that id: it never
	// existed, was deleted, or its retention is over.
	ErrNotFound = errors.New("store: job not found")
	// ErrFull is returned by Create when the bound on waiting jobs, or the store's
	// own bound, is reached. Nothing was stored; try again later.
	ErrFull = errors.New("store: too many jobs are waiting")
	// ErrOwnerFull is returned by Create when as many jobs of the owner are waiting as
	// the owner may have. Nothing was stored; try again later.
	ErrOwnerFull = errors.New("store: too many jobs of the owner are waiting")
	// ErrKeyReused is returned by Create when the idempotency key belongs to a job
	// with another fingerprint. Nothing was stored.
	ErrKeyReused = errors.New("store: idempotency key was used for another request")
	// ErrFinished is returned by Cancel when the job has completed or failed. The
	// job is unchanged.
	ErrFinished = errors.New("store: job is already finished")
	// ErrNotFailed is returned by Retry when the job has not failed. The job is
	// unchanged.
	ErrNotFailed = errors.New("store: only a failed job can be retried")
	// ErrNotFinished is returned by Delete when the job is not over yet. The job
	// is unchanged.
	ErrNotFinished = errors.New("store: job is not finished")
	// ErrLeaseLost is returned by every method of a Session whose lease has run
	// out or was taken, and by writes to a job that the session does not hold
	// under the given claim. Nothing was changed; the caller must stop the attempt.
	ErrLeaseLost = errors.New("store: lease lost")
	// ErrBadCursor is returned by List when the cursor was not made by this store
	// for the same owner and filter.
	ErrBadCursor = errors.New("store: cursor does not belong to this query")
)
