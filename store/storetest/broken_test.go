package storetest_test

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/asyncendpoints/gin-async/store/storetest"
)

// specimenVariable names the store that TestSpecimen runs the suite on.
const specimenVariable = "STORETEST_SPECIMEN"

// specimen is a store with one fault, and the subtests that have to see it.
type specimen struct {
	name    string
	open    func() store.Store
	rejects []string
}

func specimens() []specimen {
	return []specimen{
		{"whole", whole, nil},
		{"unfenced", unfenced, []string{
			"fence/a session that lost its job cannot write over the next holder",
			"fence/an earlier claim of the same session cannot write to the job",
		}},
		{"aliasing", aliasing, []string{
			"memory/the caller of Create may reuse its slices",
			"memory/the caller of Settle may reuse its slice",
		}},
		{"deaf", deaf, []string{
			"wake-up/a job that comes to an empty queue wakes an idle session, every time",
			"wake-up/no wake-up is lost between a producer and consumers that sleep",
		}},
		{"overwritten cancel", overwrittenCancel, []string{
			"cancel/a marked job ends canceled however its attempt ends",
		}},
		{"double claim", doubleClaim, []string{
			"claim/a job is claimed by one session only",
			"concurrent/many claimers get every attempt once",
		}},
		{"frozen version", frozenVersion, []string{"claim/a claim hands out the job with its request and begins an attempt"}},
		{"checked bound", checkedBound, []string{"concurrent/concurrent creates fill the bound exactly"}},
		{"checked owner", checkedOwner, []string{"owner bound/concurrent creates fill the bound exactly"}},
		{"counted once", countedOnce, []string{
			"owner bound/a place is free when its job is claimed or canceled",
			"owner bound/an owner whose jobs have gone has all places",
		}},
		{"settled twice", settledTwice, []string{"settle/a repeated settle changes nothing and returns what the first did"}},
		{"blind watch", blindWatch, []string{"watch/a watch is told of every change of its job"}},
		{"loose cursor", looseCursor, []string{"list/a cursor of another query, or none at all, is refused"}},
		{"uncounted recovery", uncountedRecovery, []string{
			"reclaim/jobs of a dead session return to the head in their order, attempts counted",
		}},
	}
}

// TestSpecimen runs the suite on a specimen. It does so only in the processes that
// TestSuiteRejectsBrokenStores starts.
func TestSpecimen(t *testing.T) {
	wanted := os.Getenv(specimenVariable)
	for _, s := range specimens() {
		if s.name == wanted {
			storetest.Run(t, func(*testing.T) store.Store { return s.open() })
		}
	}
}

// A test that fails on purpose would fail its parents too, so each specimen is
// examined in a process of its own.
func TestSuiteRejectsBrokenStores(t *testing.T) {
	for _, s := range specimens() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if s.rejects == nil {
				output, err := examine(t, s.name, "^TestSpecimen$")
				require.NoError(t, err, output)
				assert.Contains(t, output, "--- PASS: TestSpecimen/create/a_new_job_is_queued")
				return
			}
			for _, subtest := range s.rejects {
				t.Run(subtest, func(t *testing.T) {
					t.Parallel()
					output, err := examine(t, s.name, exactly(subtest))
					var exit *exec.ExitError
					require.ErrorAs(t, err, &exit, "the suite accepts the store:\n%s", output)
					assert.Contains(t, output, "--- FAIL: TestSpecimen/"+underscored(subtest))
				})
			}
		})
	}
}

// examine runs the suite on a specimen in another process and returns what it
// printed.
func examine(t *testing.T, name, pattern string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0], "-test.run="+pattern, "-test.v", "-test.count=1")
	command.Env = append(os.Environ(), specimenVariable+"="+name)
	output, err := command.CombinedOutput()
	require.NoError(t, ctx.Err(), "the suite did not end:\n%s", output)
	return string(output), err
}

// exactly is the pattern for one subtest of the suite.
func exactly(subtest string) string {
	pattern := "^TestSpecimen$"
	for part := range strings.SplitSeq(underscored(subtest), "/") {
		pattern += "/^" + regexp.QuoteMeta(part) + "$"
	}
	return pattern
}

// underscored is the name as package testing prints it.
func underscored(name string) string { return strings.ReplaceAll(name, " ", "_") }

// whole has no fault, behind the same wrapping as the others.
func whole() store.Store {
	return wrapped{memstore.New(), func(s store.Session) store.Session { return s }}
}

// wrapped is a store whose sessions are wrapped.
type wrapped struct {
	store.Store
	wrap func(store.Session) store.Session
}

func (w wrapped) Join(ctx context.Context, worker string, lease time.Duration) (store.Session, error) {
	session, err := w.Store.Join(ctx, worker, lease)
	if err != nil {
		return nil, err
	}
	return w.wrap(session), nil
}
