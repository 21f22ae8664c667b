package ginasync

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                               0,
		"120":                            2 * time.Minute,
		"0":                              time.Nanosecond,
		"-1":                             0,
		"1.5":                            0,
		"soon":                           0,
		"4294967295":                     365 * 24 * time.Hour,
		"99999999999999999999":           0,
		"Mon, 23 Nov 2026 12:01:00 GMT":  time.Minute,
		"Mon, 23 Nov 2026 11:00:00 GMT":  time.Nanosecond,
		"Mon, 23 Nov 2099 11:00:00 GMT":  365 * 24 * time.Hour,
		"Monday, 23-Nov-26 12:01:00 GMT": time.Minute,
	} {
		assert.Equal(t, want, parseRetryAfter(value, now), value)
	}
}

// FuzzRetryAfter: no header makes a delay that is negative or longer than a year.
func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Mon, 23 Nov 2026 12:01:00 GMT")
	f.Fuzz(func(t *testing.T, value string) {
		got := parseRetryAfter(value, time.Now())
		assert.GreaterOrEqual(t, got, time.Duration(0))
		assert.LessOrEqual(t, got, 365*24*time.Hour)
	})
}

func TestMarkedErrors(t *testing.T) {
	cause := errors.New("cause")
	t.Run("of nil are nil", func(t *testing.T) {
		require.NoError(t, Permanent(nil))
		require.NoError(t, RetryAfter(nil, time.Second))
	})
	t.Run("keep their cause and its text", func(t *testing.T) {
		for _, err := range []error{Permanent(cause), RetryAfter(cause, time.Second), Permanent(RetryAfter(cause, 1))} {
			require.ErrorIs(t, err, cause)
			assert.Equal(t, "cause", err.Error())
		}
	})
	t.Run("ask for the next attempt at once with a delay of zero", func(t *testing.T) {
		got := delayAsked(recorded{err: RetryAfter(cause, 0)})
		assert.Equal(t, time.Nanosecond, got)
	})
}

func TestProblem(t *testing.T) {
	assert.Equal(t, "Title", (&Problem{Title: "Title"}).Error())
	assert.Equal(t, "Title: detail", (&Problem{Title: "Title", Detail: "detail"}).Error())
	assert.Equal(t, http.StatusServiceUnavailable, problemOf(errors.New("anything else")).Status)
	assert.Equal(t, "1", seconds(time.Nanosecond))
	assert.Equal(t, "2", seconds(1001*time.Millisecond))
}

func TestAskAgainAfter(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, test := range map[string]struct {
		job         Job
		least, most time.Duration
	}{
		"at once for a new job":                   {Job{CreatedAt: now}, 0, 0},
		"in a quarter of its time":                {Job{CreatedAt: ago(8 * time.Second)}, 2 * time.Second, 2400 * time.Millisecond},
		"in half a minute at the latest":          {Job{CreatedAt: ago(time.Hour)}, 25 * time.Second, 30 * time.Second},
		"soon when it is ready only now":          {Job{CreatedAt: ago(time.Hour), ReadyAt: ago(8 * time.Second)}, 2 * time.Second, 2400 * time.Millisecond},
		"soon when it began only now":             {Job{CreatedAt: ago(time.Hour), ReadyAt: ago(time.Hour), StartedAt: now}, 0, 0},
		"not before it is due":                    {Job{State: store.Scheduled, DueAt: now.Add(3 * time.Second)}, 3 * time.Second, 3600 * time.Millisecond},
		"in half a minute when it is due later":   {Job{State: store.Scheduled, DueAt: now.Add(time.Hour)}, 25 * time.Second, 30 * time.Second},
		"at once when it should be there already": {Job{State: store.Scheduled, DueAt: ago(time.Hour)}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for range 100 {
				after := askAgainAfter(test.job, now)
				assert.GreaterOrEqual(t, after, test.least)
				assert.LessOrEqual(t, after, test.most)
			}
		})
	}
	t.Run("differs from one time to the next", func(t *testing.T) {
		job := Job{CreatedAt: ago(time.Minute)}
		first := askAgainAfter(job, now)
		assert.Eventually(t, func() bool { return askAgainAfter(job, now) != first }, time.Second, time.Microsecond)
	})
}
