package chaos_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// killForm is how thorough the test of kills is.
type killForm struct {
	lease           time.Duration
	jobs, perSecond int
	kills           int // about one a second
}

func TestProcessesAreKilledUnderLoad(t *testing.T) {
	form := killForm{lease: 2 * time.Second, jobs: 800, perSecond: 80, kills: 10}
	if inLongForm() {
		form = killForm{lease: 10 * time.Second, jobs: 2000, perSecond: 66, kills: 30}
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %+v", seed, form)
	random := rand.New(rand.NewPCG(seed, 0))

	server := redistest.Start(t, writtenDown...)
	f := newFleet(t, processConfig{
		Redis: server.Addr(), Lease: form.lease, Grace: 10 * time.Second,
		Concurrency: 200, // a job that has to run again finds room at once
	})
	for range 3 {
		f.start(t)
	}
	r := newRegister(f)
	r.watch(t)
	wait := r.load(form.jobs, form.perSecond, someWork)
	f.killOneAfterAnother(t, random, form.kills)
	wait()
	r.mustEnd(t)
	awaitQuiet(t, redisstore.New(server.Client(t)), len(f.live))

	runs := readJournals(t, f.config.Dir)
	again := newRecoveries(f)
	r.mustHoldInTheEnd(t, runs, again.excuse)
	mustHaveWrittenOnce(t, server.Dir(), slices.Collect(maps.Keys(runs)))
	t.Logf("%d accepted, %d answers lost, %d jobs ran", len(r.accepted), len(r.unknown), len(runs))
	again.mustBeSoon(t, form)
	for _, p := range slices.Clone(f.live) {
		f.terminate(t, p)
	}
	assert.Len(t, readJournals(t, f.config.Dir), len(runs), "nothing ran afterwards")
	mustLeaveNothing(t, server.Client(t))
}

// someWork is most often short and sometimes long.
func someWork() order {
	spread := func(from, to time.Duration) order { return order{Takes: from + rand.N(to-from)} }
	switch n := rand.IntN(100); {
	case n < 65:
		return spread(2*time.Millisecond, 50*time.Millisecond)
	case n < 88:
		return spread(50*time.Millisecond, 400*time.Millisecond)
	default:
		return spread(time.Second, 4*time.Second)
	}
}

// killOneAfterAnother kills a process about once a second and starts another one. The
// time varies, or else it would fit the rhythm in which processes look for the dead.
func (f *fleet) killOneAfterAnother(t *testing.T, random *rand.Rand, kills int) {
	t.Helper()
	next := time.Now()
	for range kills {
		next = next.Add(time.Second/2 + time.Duration(random.Int64N(int64(time.Second))))
		awaitTime(t, next)
		f.kill(t, f.live[random.IntN(len(f.live))])
		f.start(t)
	}
}

// awaitQuiet waits until nothing is left to do, and until of all sessions only those of
// the living are left.
func awaitQuiet(t *testing.T, jobs store.Jobs, living int) {
	t.Helper()
	waitFor(t, func() error {
		stats, err := jobs.Stats(t.Context())
		if err == nil && (stats.Queued+stats.Scheduled+stats.InProgress > 0 || stats.Sessions != living) {
			err = fmt.Errorf("%+v with %d processes", stats, living)
		}
		return err
	})
}

// recoveries are the runs that were cut off by a kill and how long it took from the kill
// until the job ran again.
type recoveries struct {
	killed map[string]time.Time // by the name of the process
	took   []time.Duration
	// unlucky are those whose next claim was in a process that was killed before the
	// handler began: nobody noted when that was.
	unlucky int
}

func newRecoveries(f *fleet) *recoveries {
	all := &recoveries{killed: make(map[string]time.Time)}
	for _, p := range f.all {
		if !p.killed.IsZero() {
			all.killed[p.name] = p.killed
		}
	}
	return all
}

// excuse is that the process was killed.
func (r *recoveries) excuse(run, next processRun) (counted bool, problem string) {
	killed, ok := r.killed[run.process]
	switch {
	case !ok:
		return true, "ran again though its process was not killed"
	case !next.began.After(killed):
		return true, "ran again before its process was killed"
	case next.attempt == run.attempt+1:
		r.took = append(r.took, next.began.Sub(killed))
	default:
		r.unlucky++
	}
	return true, ""
}

// mustBeSoon prints how long it took and asserts that it was within the lease and 2 s.
func (r *recoveries) mustBeSoon(t *testing.T, form killForm) {
	t.Helper()
	require.Greater(t, len(r.took), form.kills, "kills have to cut off runs")
	slices.Sort(r.took)
	p50, p99 := quantile(r.took, 0.5), quantile(r.took, 0.99)
	t.Logf("%d runs cut off by %d kills; from the kill to the next run: p50 %v, p99 %v, max %v; %d more were cut off again before their handler began",
		len(r.took)+r.unlucky, form.kills, p50.Round(time.Millisecond), p99.Round(time.Millisecond),
		r.took[len(r.took)-1].Round(time.Millisecond), r.unlucky)
	assert.LessOrEqual(t, p99, form.lease+2*time.Second, "lease of %v", form.lease)
}

func TestJobThatKillsEachOfItsWorkersFails(t *testing.T) {
	server := redistest.Start(t, writtenDown...)
	f := newFleet(t, processConfig{
		Redis: server.Addr(), Lease: time.Second, Grace: 10 * time.Second, Concurrency: 4,
	})
	r := newRegister(f)
	first := f.start(t)
	_, _, _ = f.ask(http.MethodPost, "/deadly") // the process may die before it answers
	first.awaitEnd(t)
	f.retire(first)
	f.launch(t).awaitEnd(t)

	third := f.start(t)
	runs := readJournals(t, f.config.Dir)
	require.Len(t, runs, 1)
	r.accepted = slices.Collect(maps.Keys(runs))
	r.mustEnd(t)
	id := r.accepted[0]
	status := r.ends[id].status
	assert.Equal(t, store.Failed, status.State)
	assert.Equal(t, deadlyAttempts, status.Attempt)
	require.NotNil(t, status.Error)
	assert.Equal(t, store.WorkerLost().Title, status.Error.Title)
	assert.Len(t, readJournals(t, f.config.Dir)[id], deadlyAttempts)
	f.terminate(t, third)
}
