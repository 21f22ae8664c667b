package site

import (
	"time"

	"github.com/asyncendpoints/gin-async/bench/contestant"
)

// Setup says what a site holds.
type Setup struct {
	contestant.Setup
	// Gated jobs wait until the gate is opened.
	Gated bool
	// Stamped jobs are noted with the times of their run.
	Stamped bool
}

// Usage is what a site has used and done since it was opened.
type Usage struct {
	CPU                      time.Duration
	Submitted, Started, Kept int64
	Calls                    int64 // to Redis
}

// Submission asks for N jobs by as many goroutines as Producers says, with serial numbers
// from First on.
type Submission struct {
	N, Producers int
	First        int64
}

// Pumping asks for jobs without end, by as many goroutines as Producers says, of which at
// most Window wait to be kept.
type Pumping struct{ Producers, Window int }

// Trickle asks for N jobs, one after the other with pauses of half to one and a half Gap.
// With Watch each is watched until it is seen to be over.
type Trickle struct {
	N     int
	Gap   time.Duration
	Watch bool
}

// Stamp is what became of a job, by the clock that all processes of a machine share. What
// did not happen in this process is zero.
type Stamp struct {
	Submitted, Started, Ended, Seen time.Time
}

// Load asks for requests over as many connections as Conns says, each used again and
// again, for Warm and then for Span, which counts. Paths are used in turn.
type Load struct {
	Addr, Method string
	Paths        []string
	Body         []byte
	Conns        int
	Warm, Span   time.Duration
	Want         int // status code
}

// Loaded is how many answers came within Span, as it turned out to be.
type Loaded struct {
	Answers int64
	Took    time.Duration
}

// None stands for no argument or no answer.
type None struct{}
