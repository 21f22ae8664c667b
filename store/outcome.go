package store

import "time"

// Outcome is how an attempt ended. The functions Complete, Fail, RetryAfter and
// Cancel are the only ways to make one, so that an impossible one cannot be
// asked for. It is a value and safe to copy; its result must not be changed.
type Outcome struct {
	state     State
	delay     time.Duration
	result    Result
	hasResult bool
	problem   Problem
}

// Complete ends the job as completed with its result.
func Complete(result Result) Outcome {
	return Outcome{state: Completed, result: result, hasResult: true}
}

// Fail ends the job as failed. The result is the response that says so; nil when
// the handler gave none.
func Fail(problem Problem, result *Result) Outcome {
	o := Outcome{state: Failed, problem: problem}
	if result != nil {
		o.result, o.hasResult = *result, true
	}
	return o
}

// RetryAfter schedules the job for its next attempt after delay. It stores no
// result. The caller has checked that attempts are left; stores do not.
func RetryAfter(delay time.Duration, problem Problem) Outcome {
	return Outcome{state: Scheduled, delay: max(delay, 0), problem: problem}
}

// Cancel ends the job as canceled, without a result.
func Cancel() Outcome { return Outcome{state: Canceled} }

// State is the state the outcome asks for.
func (o Outcome) State() State { return o.state }

// Delay is how long the next attempt waits; 0 unless State is Scheduled.
func (o Outcome) Delay() time.Duration { return o.delay }

// Result is the recorded response, or nil.
func (o Outcome) Result() *Result {
	if !o.hasResult {
		return nil
	}
	return &o.result
}

// Problem is why the attempt did not complete; zero when it did.
func (o Outcome) Problem() Problem { return o.problem }
