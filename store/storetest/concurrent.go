package storetest

import (
	"errors"
	"fmt"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func concurrentCases() []testCase {
	return []testCase{
		{"many claimers get every attempt once", claimersGetEachOnce},
		{"concurrent creates fill the bound exactly", createsFillTheBound},
		{"cancel and settle leave one terminal state, and it is final", cancelRacesSettle},
		{"concurrent settles of one claim are one settle", settlesRace},
		{"concurrent reclaims take each job once", reclaimsRace},
	}
}

func claimersGetEachOnce(h *harness) {
	const jobs, claimers = 60, 6
	for range jobs {
		h.create()
	}
	sessions := h.joinAll(claimers)
	batches := gather(h, claimers, func(worker int) ([]store.Ref, error) {
		session := sessions[worker]
		var held []store.Ref
		for i := 0; ; i++ {
			batch, err := session.Claim(h.ctx(), []store.Want{{Queue: queueName, Max: 1 + i%3}})
			if err != nil || len(batch.Claims) == 0 {
				return held, err
			}
			held = append(held, refs(batch.Claims)...)
			// Some are given back, so that jobs have several attempts.
			if last := held[len(held)-1]; i%4 == 3 {
				if err := session.Release(h.ctx(), last, 0); err != nil {
					return held, err
				}
			}
		}
	})
	seen := map[store.Ref]int{}
	jobsSeen := map[string]bool{}
	for _, held := range batches {
		for _, ref := range held {
			seen[ref]++
			jobsSeen[ref.ID] = true
		}
	}
	for ref, n := range seen {
		assert.Equal(h, 1, n, ref)
	}
	assert.Len(h, jobsSeen, jobs)
	assert.Equal(h, jobs, h.stats().InProgress)
}

func createsFillTheBound(h *harness) {
	const bound, creators, each = 20, 6, 8
	bounded := job()
	bounded.MaxWaiting = bound
	accepted := gather(h, creators, func(int) (int, error) {
		n := 0
		for range each {
			_, _, err := h.store.Create(h.ctx(), bounded)
			switch {
			case err == nil:
				n++
			case !errors.Is(err, store.ErrFull):
				return n, err
			}
		}
		return n, nil
	})
	total := 0
	for _, n := range accepted {
		total += n
	}
	assert.Equal(h, bound, total)
	assert.Equal(h, bound, h.stats().Queued)
}

func cancelRacesSettle(h *harness) {
	session := h.join(longLease)
	for range 20 {
		h.create()
		claim := h.claimOne(session)
		states := gather(h, 2, func(i int) (store.State, error) {
			if i == 0 {
				return session.Settle(h.ctx(), claim.Ref, completed())
			}
			_, err := h.store.Cancel(h.ctx(), claim.Job.ID)
			if errors.Is(err, store.ErrFinished) {
				return store.Completed, nil
			}
			return store.Canceled, err
		})
		got, data, err := h.store.Result(h.ctx(), claim.Job.ID)
		require.NoError(h, err)
		assert.True(h, got.State.Terminal())
		assert.Equal(h, []store.State{got.State, got.State}, states, "both sides agree on the end")
		assert.Equal(h, got.State == store.Completed, data != nil)
		h.settle(session, claim.Ref, failed())
		h.same(got, h.get(claim.Job.ID))
	}
}

func settlesRace(h *harness) {
	session, claim := h.started()
	states := gather(h, 6, func(i int) (store.State, error) {
		if i%2 == 0 {
			return session.Settle(h.ctx(), claim.Ref, store.Complete(result(fmt.Sprint(i))))
		}
		return session.Settle(h.ctx(), claim.Ref, failed())
	})
	got := h.get(claim.Job.ID)
	for _, state := range states {
		assert.Equal(h, got.State, state)
	}
	assert.Equal(h, claim.Job.Version+1, got.Version)
}

func reclaimsRace(h *harness) {
	const jobs = 12
	for range jobs {
		h.create()
	}
	_, claims := h.dead(jobs)
	total := 0
	for _, n := range gather(h, 4, func(int) (int, error) { return h.store.Reclaim(h.ctx(), 5) }) {
		total += n
	}
	assert.Equal(h, jobs, total+h.reclaim(jobs))
	for _, c := range claims {
		got := h.get(c.Job.ID)
		assert.Equal(h, store.Queued, got.State)
		assert.Equal(h, c.Job.Version+1, got.Version)
	}
}
