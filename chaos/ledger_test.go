package chaos_test

import (
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

// ledger is what a test knows of its jobs from outside of the store: which were
// accepted, which refused, and each run of a handler. It is safe for concurrent use.
type ledger struct {
	mu       sync.Mutex
	accepted map[string]time.Time
	answers  []answer
	runs     map[string][]*handlerRun
	serial   int
}

// answer is what a submission got.
type answer struct {
	status     int
	id         string
	retryAfter string
	at         time.Time
	took       time.Duration
}

// handlerRun is one run of a handler. The fields are the ledger's to change.
type handlerRun struct {
	attempt      int
	body         string // what the handler answers; no two runs have the same
	began, ended time.Time
}

func newLedger() *ledger {
	return &ledger{accepted: make(map[string]time.Time), runs: make(map[string][]*handlerRun)}
}

func (l *ledger) note(a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = append(l.answers, a)
	if a.status == http.StatusAccepted {
		l.accepted[a.id] = a.at
	}
}

func (l *ledger) begin(id string, attempt int) *handlerRun {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serial++
	r := &handlerRun{attempt: attempt, body: fmt.Sprintf("%s %d %d", id, attempt, l.serial), began: time.Now()}
	l.runs[id] = append(l.runs[id], r)
	return r
}

func (l *ledger) end(r *handlerRun) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.ended = time.Now()
}

// ended counts the runs that have ended.
func (l *ledger) ended() int { return l.ranSince(time.Time{}, anyJob) }

// ranSince counts the runs of those jobs that began and ended after since.
func (l *ledger) ranSince(since time.Time, which func(id string) bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for id, runs := range l.runs {
		for _, r := range runs {
			if which(id) && r.began.After(since) && !r.ended.IsZero() {
				n++
			}
		}
	}
	return n
}

// of returns the runs of a job.
func (l *ledger) of(id string) []handlerRun {
	l.mu.Lock()
	defer l.mu.Unlock()
	var runs []handlerRun
	for _, r := range l.runs[id] {
		runs = append(runs, *r)
	}
	return runs
}

// ids are the accepted jobs.
func (l *ledger) ids() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := make([]string, 0, len(l.accepted))
	for id := range l.accepted {
		ids = append(ids, id)
	}
	return ids
}

// refusals are the submissions that got something else than 202.
func (l *ledger) refusals() []answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	var refused []answer
	for _, a := range l.answers {
		if a.status != http.StatusAccepted {
			refused = append(refused, a)
		}
	}
	return refused
}

// firstAccepted is when the first job was accepted that was submitted after since.
func (l *ledger) firstAccepted(since time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first time.Time
	for _, a := range l.answers {
		if a.status == http.StatusAccepted && a.at.After(since) && (first.IsZero() || a.at.Before(first)) {
			first = a.at
		}
	}
	return first
}

// mustRefuseWell asserts that submissions were refused, each with 503 and Retry-After
// within the time that a submission may take.
func (l *ledger) mustRefuseWell(t *testing.T, atLeast int) {
	t.Helper()
	refused := l.refusals()
	var slowest time.Duration
	for _, a := range refused {
		assert.Equal(t, http.StatusServiceUnavailable, a.status)
		assert.NotEmpty(t, a.retryAfter, "a 503 without Retry-After")
		slowest = max(slowest, a.took)
	}
	assert.GreaterOrEqual(t, len(refused), atLeast, "submissions refused")
	assert.Less(t, slowest, submissionLimit, "the slowest refusal")
	t.Logf("%d accepted, %d refused with 503, the slowest in %v", len(l.ids()), len(refused), slowest.Round(time.Millisecond))
}

// records are the jobs as the store has them.
type records map[string]store.Job

// mustFinish waits until each of the jobs is over and nothing else is left, and returns
// them all.
func (l *ledger) mustFinish(t *testing.T, jobs store.Jobs, ids []string) records {
	t.Helper()
	over := make(records, len(ids))
	waitFor(t, func() error {
		for _, id := range ids {
			if _, seen := over[id]; seen {
				continue
			}
			job, err := jobs.Get(t.Context(), id)
			if err != nil {
				return fmt.Errorf("accepted job %s: %w", id, err)
			}
			if !job.State.Terminal() {
				return fmt.Errorf("%d of %d jobs are over; not %+v, which ran %d times", len(over), len(ids), job, len(l.of(id)))
			}
			over[id] = job
		}
		return nil
	})
	// A submission that was refused may have become a job all the same.
	waitFor(t, func() error {
		stats, err := jobs.Stats(t.Context())
		if err == nil && stats.Queued+stats.Scheduled+stats.InProgress > 0 {
			err = fmt.Errorf("left behind: %+v", stats)
		}
		return err
	})
	return over
}

// mustHaveResults asserts that each job completed with what one of its runs answered,
// and ran no more often than it was tried.
func (l *ledger) mustHaveResults(t *testing.T, s *site, over records) {
	t.Helper()
	for id, job := range over {
		require.Equal(t, store.Completed, job.State, "%+v", job)
		body := s.result(t, id)
		runs, written := l.of(id), 0
		for _, r := range runs {
			if r.body == body {
				written++
			}
		}
		require.Equal(t, 1, written, "the result %q is that of one run of %+v", body, runs)
		require.LessOrEqual(t, len(runs), job.MaxAttempts, "runs of %+v", job)
		after, err := s.store.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, job, after, "a job that is over stays as it is")
	}
}

// mustRunOnce asserts that the jobs ran once, in their first attempt.
func (l *ledger) mustRunOnce(t *testing.T, over records) {
	t.Helper()
	for id, job := range over {
		assert.Len(t, l.of(id), 1, "runs of %+v", job)
		assert.Equal(t, 1, job.Attempt, "attempts of %+v", job)
	}
}

// finishedBetween are the times at which jobs were over, in their order.
func (r records) finishedBetween(from, to time.Time, which func(id string) bool) iter.Seq[time.Time] {
	var times []time.Time
	for id, job := range r {
		if which(id) && job.FinishedAt.After(from) && job.FinishedAt.Before(to) {
			times = append(times, job.FinishedAt)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return slices.Values(times)
}

// firstFinished is when the first job was over after since; zero: none was.
func (r records) firstFinished(since time.Time, which func(id string) bool) time.Time {
	for first := range r.finishedBetween(since, time.Now(), which) {
		return first
	}
	return time.Time{}
}

// anyJob does not choose.
func anyJob(string) bool { return true }
