package worker

import (
	"context"
	"math/bits"
	"time"
)

// storePace spaces the repetitions of a store call that fails.
func storePace() Backoff {
	return Backoff{Initial: 50 * time.Millisecond, Max: 500 * time.Millisecond, Factor: 2, Jitter: 0.2}
}

// outage follows a store call that is repeated until it works: how long to wait
// before the next try, and whether the failure is worth another line in the log.
type outage struct {
	pace     Backoff
	failures int
}

// failed counts a failure. It asks to log the first, the second, the fourth and
// so on, so that a long outage neither floods the log nor goes silent.
func (o *outage) failed() (wait time.Duration, tell bool) {
	o.failures++
	return o.pace.Delay(o.failures), bits.OnesCount(uint(o.failures)) == 1
}

// over ends the outage and reports whether there was one.
func (o *outage) over() bool {
	was := o.failures > 0
	o.failures = 0
	return was
}

// pause waits. It returns false at once when ctx is done or stop is closed; a nil
// stop never is.
func pause(ctx context.Context, d time.Duration, stop <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	case <-ctx.Done():
		return false
	}
}
