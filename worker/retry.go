package worker

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// longestInterval keeps the arithmetic on intervals, jitter included, far from
// overflow. It is 73 years.
const longestInterval = time.Duration(1) << 61

// Backoff is how long a failed job waits for its next attempt: Initial after the
// first attempt, Factor times as long after each further one, at most Max. It is
// a value without state and safe for concurrent use.
type Backoff struct {
	// Initial is the delay after the first attempt, Max the longest of all.
	Initial, Max time.Duration
	// Factor is how much longer each delay is than the one before; 1: not at all.
	Factor float64
	// Jitter spreads each delay at random by this share of it, up and down: 0.2
	// means ±20 %. Between 0 and 1. Max holds for the spread delay too.
	Jitter float64
}

// DefaultBackoff waits 2 s after the first attempt and twice as long after each
// further one, ±20 %, at most 10 minutes.
func DefaultBackoff() Backoff {
	return Backoff{Initial: 2 * time.Second, Max: 10 * time.Minute, Factor: 2, Jitter: 0.2}
}

// Validate returns all mistakes of b in one error, or nil.
func (b Backoff) Validate() error {
	var mistakes []error
	add := func(right bool, format string, args ...any) {
		if !right {
			mistakes = append(mistakes, fmt.Errorf("worker: back-off: "+format, args...))
		}
	}
	add(b.Initial > 0, "Initial must be above 0, not %v", b.Initial)
	add(b.Max >= b.Initial, "Max (%v) must not be below Initial (%v)", b.Max, b.Initial)
	// Written so that a factor or jitter that is no number is refused too.
	add(b.Factor >= 1 && !math.IsInf(b.Factor, 1), "Factor must be 1 or more, not %v", b.Factor)
	add(b.Jitter >= 0 && b.Jitter <= 1, "Jitter must be between 0 and 1, not %v", b.Jitter)
	return errors.Join(mistakes...)
}

// Delay returns how long to wait after the attempt of that number failed; attempts
// are numbered from 1, and a lower number counts as 1. Apart from the jitter it
// depends on b and attempt only. It is never negative and never above Max, for any b.
func (b Backoff) Delay(attempt int) time.Duration {
	ceiling := max(b.Max, 0)
	interval := b.interval(attempt)
	// The zero value of MaxElapsedTime means for ever: the store counts attempts.
	step := backoff.ExponentialBackOff{
		InitialInterval:     interval,
		MaxInterval:         interval,
		Multiplier:          1,
		RandomizationFactor: clamp(b.Jitter, 0, 1),
		Stop:                backoff.Stop,
		Clock:               backoff.SystemClock,
	}
	step.Reset()
	// The library adds the jitter after its own limit.
	return min(max(step.NextBackOff(), 0), ceiling)
}

// interval is the delay before jitter.
func (b Backoff) interval(attempt int) time.Duration {
	longest := float64(min(max(b.Max, 0), longestInterval))
	grown := float64(max(b.Initial, 0)) * math.Pow(b.Factor, float64(max(attempt, 1)-1))
	return time.Duration(clamp(grown, 0, longest))
}

// clamp brings x between low and high; what is no number becomes low.
func clamp(x, low, high float64) float64 {
	if math.IsNaN(x) {
		return low
	}
	return min(max(x, low), high)
}
