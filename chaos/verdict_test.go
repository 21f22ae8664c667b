package chaos_test

import (
	"fmt"
	"testing"
	"time"

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
		require.True(t, over, "job %s with the runs %v", id, of)
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
	told := fmt.Sprintf("job %s with the runs %v", now.status.ID, of)
	last := of[len(of)-1]
	require.Equal(t, last.nonce, now.answer, "the result of %s", told)
	require.NotZero(t, last.ended, told)
	require.Empty(t, last.cause, told)
	require.Equal(t, last.attempt, now.status.Attempt, told)
	require.LessOrEqual(t, now.status.Attempt, now.status.MaxAttempts, told)
	for i, next := range of[1:] {
		counted, problem := excuse(of[i], next)
		require.Empty(t, problem, "run %d of %s", i+1, told)
		if counted {
			require.Greater(t, next.attempt, of[i].attempt, told)
		} else {
			require.Equal(t, of[i].attempt, next.attempt, told)
		}
	}
}

// quantile returns the value below which the share q of the sorted durations is.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
