// Package worker runs the jobs of a store.
//
// A [Worker] joins the store and gets a session, one lease for all the jobs it
// will hold. Four things then work on that session:
//
//   - The dispatcher claims jobs for the free slots of each queue, in one call
//     for all queues. It wakes when a slot is freed, when the store says that
//     work arrived and when the next scheduled job is due; it polls only as a
//     fallback.
//   - The executors, one goroutine per running job, each look up the route of a
//     claimed job, call the handler with a context, end the attempt with one write to
//     the store, which is repeated until the store has it, and go on to the next job.
//     One timer watches over the time of all attempts.
//   - The lease keeper renews the lease, stops the attempts whose jobs were
//     cancelled, and gives back claims that never reached this worker.
//   - The recovery loop returns the jobs of dead sessions to their queues.
//
// To follow a job, read dispatcher.go, crew.go, executor.go, outcome.go and
// settle.go in this order.
//
// # Guarantee
//
// A handler runs at least once for each job, and again after a crash or a lost
// lease; so it must tolerate a second run. What it reports is written once, by
// the session that owns the attempt. The context of an attempt ends when the
// attempt times out, the job is cancelled, the worker shuts down or the lease is
// lost; [context.Cause] says which: [ErrTimeout], [ErrCanceled], [ErrShutdown] or
// [store.ErrLeaseLost]. From then on the cause decides how the attempt ends,
// whatever the handler answers.
package worker
