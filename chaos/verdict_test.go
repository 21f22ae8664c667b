package chaos_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

// excuse says why a job was run again after a run of it, or that there is no reason.
// A good one may ask for the attempt not to have been counted.
type excuse func(run, next processRun) (counted bool, problem string)

// mustHoldInTheEnd looks at all jobs for the last time, when nothing runs any more, and
// asserts what every accepted job was promised: it reached one terminal state and stayed
// there, its result is that of one run and of no other, and it was run again only with
// an excuse. Jobs whose submission nobody knows of, but that ran, were promised the same.
func (r *register) mustHoldInTheEnd(t *testing.T, runs chronicle, excuse excuse) {
	t.Helper()
	require.Empty(t, r.errs)
	for _, id := range r.accepted {
		require.Contains(t, runs, id, "an accepted job never ran")
	}
	for id, of := range runs {
		now, over, err := r.see(id)
		require.NoError(t, err)
		require.True(t, over, "job %s, with the runs %+v", id, of)
		if before, seen := r.ends[id]; seen {
			require.Equal(t, before, now, "a job that is over stays as it is")
		}
		require.Equal(t, store.Completed, now.status.State, "%+v", now)
		mustMakeSense(t, now, of, excuse)
	}
}

// mustMakeSense asserts that a job has the result of its last run, and that there was a
// reason for each run but the first.
func mustMakeSense(t *testing.T, now sighting, of []processRun, excuse excuse) {
	t.Helper()
	last := of[len(of)-1]
	require.Equal(t, last.nonce, now.answer, "the result of the runs %+v", of)
	assert.NotZero(t, last.ended, "%+v", of)
	assert.Empty(t, last.cause, "%+v", of)
	assert.Equal(t, last.attempt, now.status.Attempt, "%+v", of)
	assert.LessOrEqual(t, now.status.Attempt, now.status.MaxAttempts)
	for i, next := range of[1:] {
		run := of[i]
		counted, problem := excuse(run, next)
		assert.Empty(t, problem, "run %d of %+v", i+1, of)
		if counted {
			assert.Greater(t, next.attempt, run.attempt, "%+v", of)
		} else {
			assert.Equal(t, run.attempt, next.attempt, "%+v", of)
		}
	}
}

// quantile returns the value below which the share q of the sorted durations is.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
