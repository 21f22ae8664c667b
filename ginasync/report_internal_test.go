package ginasync

import (
	"errors"
	"net/http"
	"testing"
	"time"

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
	assert.Equal(t, 2*time.Second, askAgainAfter(Job{CreatedAt: now.Add(-8 * time.Second)}, now))
	assert.Equal(t, 30*time.Second, askAgainAfter(Job{CreatedAt: now.Add(-time.Hour)}, now))
	assert.Equal(t, 3*time.Second, askAgainAfter(Job{State: "scheduled", DueAt: now.Add(3 * time.Second)}, now))
	assert.Equal(t, 30*time.Second, askAgainAfter(Job{State: "scheduled", DueAt: now.Add(time.Hour)}, now))
}
