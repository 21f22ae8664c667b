package chaos_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

func TestRollingDeployUnderLoad(t *testing.T) {
	const processes = 4
	grace, rounds, jobs := 2*time.Second, 1, 600
	if inLongForm() {
		grace, rounds, jobs = 5*time.Second, 4, 5000
	}
	server := redistest.Start(t, writtenDown...)
	f := newFleet(t, processConfig{
		Redis: server.Addr(), Lease: 10 * time.Second, Grace: grace, Concurrency: 100,
	})
	for range processes {
		f.start(t)
	}
	r := newRegister(f)
	r.watch(t)
	wait := r.load(jobs, 60, someWork)
	for range rounds * processes {
		f.start(t)
		// Longer than the grace period: they cannot finish in the process that ends.
		r.mustSubmit(t, 2*processes, order{Takes: grace + 2*time.Second})
		f.terminate(t, f.live[0])
	}
	wait()
	r.mustEnd(t)
	awaitQuiet(t, redisstore.New(server.Client(t)), processes)

	runs := readJournals(t, f.config.Dir)
	d := newDeploy(f)
	r.mustHoldInTheEnd(t, runs, d.excuse)
	mustHaveWrittenOnce(t, server.Dir(), r.accepted)
	t.Logf("%d accepted, %d answers lost %v; %d attempts were released", len(r.accepted), len(r.unknown), r.unknown, d.released)
	require.Positive(t, d.released, "some have to be cut off")
	for id, s := range r.ends {
		assert.Equal(t, 1, s.status.Attempt, "attempts of %s: those released do not count", id)
	}
}

// deploy knows when processes were asked to end.
type deploy struct {
	fleet    *fleet
	asked    map[string]time.Time
	released int
}

func newDeploy(f *fleet) *deploy {
	d := &deploy{fleet: f, asked: make(map[string]time.Time)}
	for _, p := range f.all {
		if !p.asked.IsZero() {
			d.asked[p.name] = p.asked
		}
	}
	return d
}

// excuse is that the grace period was not enough.
func (d *deploy) excuse(run, next processRun) (counted bool, problem string) {
	asked, ok := d.asked[run.process]
	d.released++
	switch {
	case !ok:
		return false, "ran again though its process was not asked to end"
	case run.cause != causeShutdown:
		return false, "ran again though it was not cut off"
	case run.ended.Sub(asked) < d.fleet.config.Grace:
		return false, "was cut off before the grace period was over"
	case next.began.Before(run.ended):
		return false, "ran again before it had ended"
	}
	return false, ""
}
