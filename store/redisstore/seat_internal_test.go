package redisstore

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
)

func TestSeatRemembersWhatItHolds(t *testing.T) {
	ref := func(id string) store.Ref { return store.Ref{ID: id, Claim: 1} }
	gain := func(t *seat, id string) { t.claims[ref(id)] = heldClaim{learned: time.Now()} }
	seat := &seat{lease: time.Minute, claims: make(map[store.Ref]heldClaim)}
	began := time.Now()
	gain(seat, "new")
	seat.remember(began, []store.Ref{ref("held")})
	assert.ElementsMatch(t, []store.Ref{ref("held"), ref("new")}, seat.remembered(), "a claim overtook the renewal")

	seat.gaveUp(ref("new"))
	seat.remember(time.Now(), []store.Ref{})
	assert.Empty(t, seat.remembered(), "the server knows better about what is older than the renewal")

	gain(seat, "late")
	seat.remember(time.Now().Add(-time.Hour), nil)
	assert.Empty(t, seat.remembered(), "the lease is over")
}

func TestTurnOfThePartitionsNeverEnds(t *testing.T) {
	s := New(redistest.Start(t).Client(t), WithPartitions(3))
	joined, err := s.Join(t.Context(), "worker", time.Minute)
	require.NoError(t, err)
	session, ok := joined.(*session)
	require.True(t, ok)
	for _, turn := range []int32{math.MaxInt32, math.MinInt32, -1} {
		session.turn.Store(turn)
		for range 2 {
			_, err := session.Claim(t.Context(), []store.Want{{Queue: "q", Max: 1}})
			require.NoError(t, err)
		}
	}
	require.NoError(t, session.Leave(t.Context()))
}
