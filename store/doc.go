// Package store defines the job, its states, and the contract between the
// parts that create jobs and the parts that run them.
//
// A job is one accepted request. It is created queued, or scheduled when it has
// to wait for its time. A worker process joins the store and gets a session: one
// lease for all the jobs it will hold. The session claims jobs, which makes them
// in_progress, and ends each attempt with one write, Settle. From there a job is
// completed, failed, canceled, or scheduled for another attempt. When a session
// stops renewing its lease, Reclaim gives its jobs back to the queue.
//
// The guarantee every store gives: a job reaches exactly one terminal state, and
// the result of an attempt is written at most once, by the session that owns the
// attempt. Each write a session makes is checked against its lease and against
// the number of the claim in the same atomic step; a session that lost its lease
// gets [ErrLeaseLost] and changes nothing.
//
// Rules for all methods of all stores:
//
//   - They are safe for concurrent use.
//   - Byte slices and structs are copied in and copied out: neither side sees a
//     later change by the other.
//   - All guards are checked before the first write, in one atomic step with it.
//   - The store keeps the time. No caller passes a clock.
//   - The sentinel errors of this package mean what their comments say. Any other
//     error means that the outcome is unknown; the same call may be repeated.
//
// Package storetest holds the tests that a store has to pass.
package store
