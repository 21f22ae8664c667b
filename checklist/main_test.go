// Package checklist_test holds services as a whole to what the HTTP contract promises,
// check by check: one process that keeps its jobs in memory, and two that share a
// Redis, where what one accepts is polled, awaited, streamed and cancelled at the other.
// The order and the numbers of the checks are those of ginasync's contract_test.go,
// which names the tests that go into detail.
package checklist_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or a service in the processes that the tests start.
func TestMain(m *testing.M) {
	if text, ok := os.LookupEnv(settingsVariable); ok {
		os.Exit(runProcess(text))
	}
	goleak.VerifyTestMain(m)
}

// check is a promise. Its name is what a client can rely on.
type check struct {
	name string
	run  func(t *testing.T, s *site)
}

// checks are in the order of their numbers, from 1.
func checks() []check {
	return []check{
		{"a store that does not write is a 503, and leaves the key free", leavesTheKeyFree},
		{"two equal submissions with a key at once are one job", isOneJob},
		{"a key is of one request of one owner", isOfOneRequestOfOneOwner},
		{"a key in quotes and bare is the same", isTheSameBare},
		{"Prefer is read as RFC 7240 says, and never an error", isNeverAnError},
		{"every answer of a route varies by Prefer", variesByPrefer},
		{"what a handler answered is marked, and the library's own errors are not", isMarked},
		{"a handler's relative references lead where they led", leadsWhereItLed},
		{"headers of the moment, the client and the connection are not replayed", hasNoMomentaryHeader},
		{"a result is stored without compression", isStoredPlain},
		{"another's job is byte for byte one that never was", isHidden},
		{"every answer has Cache-Control", hasCacheControl},
		{"an ETag stands until the job changes; a 304 has Retry-After", hasAnETag},
		{"a long poll misses no change", missesNoChange},
		{"a stream resumes anywhere, beats, outlasts WriteTimeout, and ends", streams},
		{"cancel, delete and retry keep to their states; a race has one end, told once", keepsToItsStates},
		{"credentials are nowhere in the store", keepsNoCredentials},
		{"callbacks to inner addresses are refused", refusesInnerAddresses},
		{"a webhook is signed, and comes again with its id and a fresh timestamp", isSignedAfresh},
		{"OPTIONS, HEAD and upgrades become no job", becomesNoJob},
		{"URLs lead back through a proxy that strips a prefix, whatever the client says", leadsBack},
		{"a client that goes away leaves its job alone", isLeftAlone},
		{"a panic is a 500 problem without a stack", hasNoStack},
		{"an oversize result fails, and is never cut off", isNeverCutOff},
		{"a malformed id never reaches the store", neverReachesTheStore},
	}
}

// TestChecklist makes all checks at all sites. What takes long by itself, as the
// silence before a heartbeat, has begun before the first.
func TestChecklist(t *testing.T) {
	all := arrangements()
	sites := make([]*site, 0, len(all))
	for _, a := range all {
		s := a.open(t)
		s.begin(t)
		sites = append(sites, s)
	}
	for _, s := range sites {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for i, c := range checks() {
				t.Run(fmt.Sprintf("check %02d, %s", i+1, c.name), func(t *testing.T) { c.run(t, s) })
			}
		})
	}
}
