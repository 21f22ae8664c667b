package store

// State is where a job is in its life. The zero value is no state.
type State string

const (
	// Queued jobs wait for a worker. A claim takes them to InProgress, a cancel
	// to Canceled.
	Queued State = "queued"
	// Scheduled jobs wait for their time: a delay or the next attempt. A claim
	// made after that time takes them to Queued and on to InProgress.
	Scheduled State = "scheduled"
	// InProgress jobs are held by a session. The session settles or releases
	// them; if its lease runs out, Reclaim returns them to Queued.
	InProgress State = "in_progress"
	// Completed jobs have a result that says success. Final.
	Completed State = "completed"
	// Failed jobs had a permanent error or used up their attempts. Only an
	// explicit Retry takes them back to Queued.
	Failed State = "failed"
	// Canceled jobs were cancelled before or during an attempt. Final.
	Canceled State = "canceled"
)

// transitions is the whole state machine: what is not in it does not happen.
var transitions = [...]struct{ from, to State }{
	{Queued, InProgress},
	{Queued, Canceled},
	{Scheduled, Queued},
	{Scheduled, Canceled},
	{InProgress, Completed},
	{InProgress, Failed},
	{InProgress, Scheduled}, // the next attempt, later
	{InProgress, Queued},    // released or recovered
	{InProgress, Canceled},
	{Failed, Queued}, // only by Retry
}

// States returns all states in the order of a job's life.
func States() []State {
	return []State{Queued, Scheduled, InProgress, Completed, Failed, Canceled}
}

// CanBecome reports whether a job may move from s to next in one step.
func (s State) CanBecome(next State) bool {
	for i := range transitions {
		if t := &transitions[i]; t.from == s && t.to == next {
			return true
		}
	}
	return false
}

// Terminal reports whether a job in s is over: its outcome is written and only
// an explicit Retry of a failed job moves it again.
func (s State) Terminal() bool {
	return s == Completed || s == Failed || s == Canceled
}

// Valid reports whether s is one of the six states.
func (s State) Valid() bool {
	switch s {
	case Queued, Scheduled, InProgress, Completed, Failed, Canceled:
		return true
	}
	return false
}
