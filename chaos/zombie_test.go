package chaos_test

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// zombieLease is the lease of the processes that are paused for longer.
const zombieLease = 2 * time.Second

// pause stops a process as it is. It gets no requests meanwhile.
func (f *fleet) pause(t *testing.T, p *process) {
	t.Helper()
	f.retire(p)
	p.signal(t, syscall.SIGSTOP)
}

// resume lets a paused process go on, and take requests again.
func (f *fleet) resume(t *testing.T, p *process) {
	t.Helper()
	p.signal(t, syscall.SIGCONT)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = append(f.live, p)
}

// awaitRuns waits until as many runs in a process are as they should be.
func (f *fleet) awaitRuns(t *testing.T, p *process, n int, should func(processRun) bool) []processRun {
	t.Helper()
	var fitting []processRun
	waitFor(t, func() error {
		fitting = readJournals(t, f.config.Dir).in(p)
		fitting = slices.DeleteFunc(fitting, func(run processRun) bool { return !should(run) })
		if len(fitting) < n {
			return fmt.Errorf("%d of %d runs in %s", len(fitting), n, p.name)
		}
		return nil
	})
	return fitting
}

func hasBegun(processRun) bool     { return true }
func hasEnded(run processRun) bool { return !run.ended.IsZero() }

// awaitCalm returns between two renewals of the only session. A process that is paused
// while it waits for the answer to one believes afterwards that there was none for the
// whole lease, and gives up its session without asking again.
func awaitCalm(t *testing.T, client *redis.Client) {
	t.Helper()
	waitFor(t, func() error {
		locks, err := client.Keys(t.Context(), "*:lock:*").Result()
		require.NoError(t, err)
		require.Len(t, locks, 1)
		left, err := client.PTTL(t.Context(), locks[0]).Result()
		require.NoError(t, err)
		if age := zombieLease - left; age < zombieLease/20 || age > zombieLease/6 {
			return fmt.Errorf("renewed %v ago", age)
		}
		return nil
	})
}

// What a zombie wakes up with.
var (
	// patientWork waits for the end of its context; in another process it is short.
	patientWork = order{Takes: time.Hour, Again: 50 * time.Millisecond}
	// stubbornWork is over during the pause, so that it settles at once afterwards.
	stubbornWork = order{Takes: 3 * time.Second, Again: 50 * time.Millisecond, Stubborn: true}
	// reportingWork is the same, but reports before.
	reportingWork = order{Takes: 3 * time.Second, Again: 50 * time.Millisecond, Stubborn: true, Reports: true}
)

func TestZombieWritesNothing(t *testing.T) {
	const each = 8
	server := redistest.Start(t, writtenDown...)
	f := newFleet(t, processConfig{
		Redis: server.Addr(), Lease: zombieLease, Grace: 10 * time.Second, Concurrency: 3 * each,
		SlowWaking: zombieLease / 6,
	})
	r := newRegister(f)
	zombie := f.start(t)
	patient := r.mustSubmit(t, each, patientWork)
	stubborn := r.mustSubmit(t, each, stubbornWork)
	r.mustSubmit(t, each, reportingWork)
	f.awaitRuns(t, zombie, 3*each, hasBegun)
	awaitCalm(t, server.Client(t))
	asleep := time.Now()
	f.pause(t, zombie)

	other := f.start(t)
	r.mustEnd(t)
	awaitTime(t, asleep.Add(stubbornWork.Takes))
	f.resume(t, zombie)
	late := f.awaitRuns(t, zombie, 3*each, hasEnded)
	waitFor(t, func() error {
		if n := len(zombie.logged(t, "joined the store")); n != 2 {
			return fmt.Errorf("joined %d times: %s", n, zombie.output(t))
		}
		return nil
	})

	mustHaveBeenStopped(t, zombie, late, patient)
	mustHaveBeenRefused(t, zombie, stubborn)
	f.terminate(t, other)
	fresh := r.mustSubmit(t, 1, order{Takes: time.Millisecond})
	r.mustEnd(t)
	awaitQuiet(t, redisstore.New(server.Client(t)), 1)
	runs := readJournals(t, f.config.Dir)
	assert.Equal(t, zombie.name, runs[fresh[0]][0].process, "the zombie works on")
	r.mustHoldInTheEnd(t, runs, func(run, next processRun) (bool, string) {
		if run.process != zombie.name || next.process != other.name || !next.began.After(asleep) {
			return true, "ran again though its process was not asleep"
		}
		return true, ""
	})
	mustHaveWrittenOnce(t, server.Dir(), r.accepted)
	f.terminate(t, zombie)
}

// mustHaveBeenStopped asserts that handlers were told that the lease is lost, and by
// nothing else.
func mustHaveBeenStopped(t *testing.T, zombie *process, late []processRun, patient []string) {
	t.Helper()
	require.Len(t, zombie.logged(t, "the lease is lost; its attempts are stopped"), 1)
	for _, run := range late {
		switch {
		case slices.Contains(patient, run.job):
			assert.Equal(t, causeLost, run.cause, run)
		case run.report != "":
			assert.Equal(t, causeLost, run.report, run)
		default: // it may have ended just before
			assert.Contains(t, []string{"", causeLost}, run.cause, run)
		}
	}
}

// mustHaveBeenRefused asserts that the store refused what handlers that had ended by
// themselves tried to settle.
func mustHaveBeenRefused(t *testing.T, zombie *process, stubborn []string) {
	t.Helper()
	refused := 0
	for _, line := range zombie.logged(t, "the session ended before the attempt was settled") {
		if slices.Contains(stubborn, fmt.Sprint(line["job"])) && line["error"] == store.ErrLeaseLost.Error() {
			refused++
		}
	}
	t.Logf("%d of %d attempts were settled late, and refused", refused, len(stubborn))
	assert.Positive(t, refused, zombie.output(t))
}

func TestPausedProcessTakesItsSessionBackIfNobodyElseHasIt(t *testing.T) {
	server := redistest.Start(t, writtenDown...)
	f := newFleet(t, processConfig{
		Redis: server.Addr(), Lease: zombieLease, Grace: 10 * time.Second, Concurrency: 16,
	})
	r := newRegister(f)
	p := f.start(t)
	short := order{Takes: 3 * time.Second}
	r.mustSubmit(t, 4, short)                         // are over during the pause
	r.mustSubmit(t, 4, order{Takes: 6 * time.Second}) // go on after it
	f.awaitRuns(t, p, 8, hasBegun)
	awaitCalm(t, server.Client(t))
	asleep := time.Now()
	f.pause(t, p)
	jobs := redisstore.New(server.Client(t))
	waitFor(t, func() error {
		stats, err := jobs.Stats(t.Context())
		if err == nil && stats.Sessions > 0 {
			err = errors.New("the lease has not run out")
		}
		return err
	})
	awaitTime(t, asleep.Add(short.Takes))
	f.resume(t, p)

	r.mustEnd(t)
	awaitQuiet(t, jobs, 1)
	r.mustHoldInTheEnd(t, readJournals(t, f.config.Dir), func(processRun, processRun) (bool, string) {
		return true, "ran again though nobody took it"
	})
	for id, s := range r.ends {
		assert.Equal(t, 1, s.status.Attempt, "attempts of %s", id)
	}
	assert.Len(t, p.logged(t, "joined the store"), 1)
	f.terminate(t, p)
}
