// Package storetest is the conformance suite for stores: what package store
// promises, as tests. A store that passes can be used in place of any other.
package storetest

import (
	"testing"

	"github.com/asyncendpoints/gin-async/store"
)

// Run tests the stores that open returns. It calls open once for each subtest,
// with that subtest's t: what has to be closed belongs into t.Cleanup. Each store
// must be empty and apart from all others, because the subtests run in parallel.
//
// The suite runs in real time and takes a few seconds. It uses leases and delays
// of some hundred milliseconds, and gives a store five seconds to answer a call or
// to send a hint.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for _, area := range areas() {
		t.Run(area.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range area.cases {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.run(&harness{T: t, store: open(t)})
				})
			}
		})
	}
}

// testCase is one subtest: a sentence about the behaviour of stores, and its proof.
type testCase struct {
	name string
	run  func(h *harness)
}

// area is a group of subtests.
type area struct {
	name  string
	cases []testCase
}

func areas() []area {
	return []area{
		{"create", createCases()},
		{"key", keyCases()},
		{"owner bound", ownerBoundCases()},
		{"memory", memoryCases()},
		{"claim", claimCases()},
		{"settle", settleCases()},
		{"release", releaseCases()},
		{"cancel", cancelCases()},
		{"retry", retryCases()},
		{"delete", deleteCases()},
		{"lease", leaseCases()},
		{"fence", fenceCases()},
		{"reclaim", reclaimCases()},
		{"progress", progressCases()},
		{"watch", watchCases()},
		{"wake-up", wakeUpCases()},
		{"list", listCases()},
		{"retention", retentionCases()},
		{"concurrent", concurrentCases()},
		{"context", contextCases()},
		{"transitions", transitionCases()},
	}
}
