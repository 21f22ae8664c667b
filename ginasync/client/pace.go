package client

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	// floor is the least time from one poll to the next where the server does not wait.
	floor = time.Second
	// newsFloor is that of polls for the status document, whose changes end a wait.
	newsFloor = 200 * time.Millisecond
	// longestPause bounds what a server can ask for with Retry-After.
	longestPause = time.Hour
)

// retryAfter is the pause a response asks for; ok is false when it asks for none. A
// date is compared with the response's own, so that the clocks need not agree.
func retryAfter(h http.Header, now time.Time) (d time.Duration, ok bool) {
	value := h.Get("Retry-After")
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, longestPause), true
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return min(max(date.Sub(now), 0), longestPause), true
}

// backoff is the pause after the n-th failure in a row: half a second, doubled each
// time up to sixteen, and up to a quarter less by chance.
func backoff(n int) time.Duration {
	d := 500 * time.Millisecond << min(n-1, 5)
	return d - rand.N(d/4)
}

// until is the pause before the next poll: what the server asks for, and what is left of
// least after a poll that took so long. A poll that waited as it should leaves nothing.
// Up to a tenth is added by chance, so that clients that were cut off together do not
// come back together.
func until(asked, least, took time.Duration) time.Duration {
	d := max(asked, least-took)
	if d <= 0 {
		return 0
	}
	return d + rand.N(d/10+1)
}

// pause lasts d, or until ctx is done; then it returns why.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
