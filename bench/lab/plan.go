package lab

import (
	"errors"
	"fmt"
	"time"
)

// Plan says how much to measure. The fields are the program's flags.
type Plan struct {
	// Rounds is how often each row is measured; the rows marked as long are measured in
	// the first round only, unless Full.
	Rounds int
	Full   bool
	// Jobs is how many jobs the rows take that count jobs: memory per job, status.
	Jobs int
	// Span is how long the rows run that count what is done in a time; before that they
	// run for a quarter of it.
	Span time.Duration
	// Drain is how many queued jobs are drained, Held how many jobs are held for HeldSpan.
	Drain, Held int
	HeldSpan    time.Duration
	// Pickups is how many jobs an idle worker picks up, Gap the mean time between them.
	Pickups int
	Gap     time.Duration
	// Processes and Backlog are the sizes at which scaling is measured: the first is what
	// the others are compared with.
	Processes, Backlog []int
}

// Default ends in about eight minutes on two cores.
func Default() Plan {
	return Plan{
		Rounds: 3, Jobs: 20_000, Span: 1200 * time.Millisecond,
		Drain: 100_000, Held: 10_000, HeldSpan: 10 * time.Second,
		Pickups: 200, Gap: 50 * time.Millisecond,
		Processes: []int{1, 8}, Backlog: []int{1_000, 1_000_000},
	}
}

// Warm is how long a row runs before it counts.
func (p Plan) Warm() time.Duration { return p.Span / 4 }

// Validate returns every mistake, joined.
func (p Plan) Validate() error {
	var errs []error
	for name, n := range map[string]int{
		"rounds": p.Rounds, "n": p.Jobs, "drain": p.Drain, "held": p.Held, "pickups": p.Pickups,
	} {
		if n < 1 {
			errs = append(errs, fmt.Errorf("-%s must be at least 1, not %d", name, n))
		}
	}
	for name, d := range map[string]time.Duration{"span": p.Span, "held-span": p.HeldSpan, "gap": p.Gap} {
		if d < time.Millisecond {
			errs = append(errs, fmt.Errorf("-%s must be at least 1ms, not %v", name, d))
		}
	}
	for name, sizes := range map[string][]int{"processes": p.Processes, "backlog": p.Backlog} {
		if len(sizes) == 0 {
			errs = append(errs, fmt.Errorf("-%s needs a number, or several with commas", name))
		}
		for _, n := range sizes {
			if n < 1 {
				errs = append(errs, fmt.Errorf("-%s: each must be at least 1, not %d", name, n))
			}
		}
	}
	return errors.Join(errs...)
}
