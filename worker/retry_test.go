package worker_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/worker"
)

func TestBackoffDelay(t *testing.T) {
	t.Run("without jitter it grows by the factor up to the maximum", func(t *testing.T) {
		b := worker.Backoff{Initial: time.Second, Max: 10 * time.Second, Factor: 2}
		for attempt, want := range map[int]time.Duration{
			-5: time.Second, 0: time.Second, 1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second,
			4: 8 * time.Second, 5: 10 * time.Second, 6: 10 * time.Second, math.MaxInt: 10 * time.Second,
		} {
			assert.Equal(t, want, b.Delay(attempt), "attempt %d", attempt)
		}
	})

	t.Run("the default is 2 s, doubled, ±20 %, at most 10 minutes", func(t *testing.T) {
		b := worker.DefaultBackoff()
		require.NoError(t, b.Validate())
		for range 200 {
			assert.InDelta(t, 2, b.Delay(1).Seconds(), 0.41)
			assert.InDelta(t, 16, b.Delay(4).Seconds(), 3.21)
			assert.LessOrEqual(t, b.Delay(30), 10*time.Minute)
			assert.GreaterOrEqual(t, b.Delay(30), 8*time.Minute)
		}
	})

	t.Run("jitter spreads", func(t *testing.T) {
		b := worker.Backoff{Initial: time.Second, Max: time.Hour, Factor: 1, Jitter: 1}
		seen := map[time.Duration]bool{}
		for range 20 {
			seen[b.Delay(1)] = true
		}
		assert.Greater(t, len(seen), 10)
	})

	t.Run("the longest durations do not overflow", func(t *testing.T) {
		b := worker.Backoff{Initial: math.MaxInt64, Max: math.MaxInt64, Factor: math.MaxFloat64, Jitter: 1}
		for attempt := range 100 {
			assert.GreaterOrEqual(t, b.Delay(attempt), time.Duration(0))
		}
	})
}

func TestBackoffValidate(t *testing.T) {
	valid := worker.Backoff{Initial: time.Second, Max: time.Second, Factor: 1}
	require.NoError(t, valid.Validate())

	t.Run("all mistakes are returned", func(t *testing.T) {
		err := worker.Backoff{Initial: -1, Max: -2, Factor: 0.5, Jitter: 2}.Validate()
		for _, part := range []string{"Initial must be above 0", "Max (-2ns)", "Factor must be", "Jitter must be"} {
			assert.ErrorContains(t, err, part)
		}
	})

	for name, change := range map[string]func(*worker.Backoff){
		"a factor that is no number": func(b *worker.Backoff) { b.Factor = math.NaN() },
		"an infinite factor":         func(b *worker.Backoff) { b.Factor = math.Inf(1) },
		"a jitter that is no number": func(b *worker.Backoff) { b.Jitter = math.NaN() },
		"a negative jitter":          func(b *worker.Backoff) { b.Jitter = -0.1 },
		"no initial delay":           func(b *worker.Backoff) { b.Initial = 0 },
	} {
		t.Run(name+" is a mistake", func(t *testing.T) {
			b := valid
			change(&b)
			assert.Error(t, b.Validate())
		})
	}
}

func FuzzBackoff(f *testing.F) {
	f.Add(int64(2e9), int64(6e11), 2.0, 0.2, 3)
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64), 2.0, 1.0, math.MaxInt)
	f.Add(int64(math.MinInt64), int64(-1), math.NaN(), math.Inf(-1), math.MinInt)
	f.Add(int64(0), int64(1), 0.0, -1.0, 2)
	f.Fuzz(func(t *testing.T, initial, longest int64, factor, jitter float64, attempt int) {
		b := worker.Backoff{Initial: time.Duration(initial), Max: time.Duration(longest), Factor: factor, Jitter: jitter}
		d := b.Delay(attempt)
		if d < 0 || d > max(b.Max, 0) {
			t.Fatalf("%+v: delay %v after attempt %d is out of bounds", b, d, attempt)
		}
		if b.Validate() != nil {
			return
		}
		// A valid policy never waits less than the spread of its first delay allows;
		// one nanosecond for rounding, and a bit of the fraction for large numbers.
		least := float64(min(b.Initial, 1<<61)) * (1 - b.Jitter)
		if float64(d) < least*(1-1e-9)-1 {
			t.Fatalf("%+v: delay %v after attempt %d is below %v", b, d, attempt, time.Duration(least))
		}
		b.Jitter = 0
		if attempt < math.MaxInt && attempt > 0 && b.Delay(attempt) > b.Delay(attempt+1) {
			t.Fatalf("%+v: the delay shrinks after attempt %d", b, attempt)
		}
	})
}
