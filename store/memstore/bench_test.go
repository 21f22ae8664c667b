package memstore_test

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

const (
	benchBatch     = 16  // jobs a worker claims at once
	benchRequest   = 512 // bytes
	benchResult    = 128 // bytes
	benchRetention = time.Hour
	benchKept      = 100_000 // finished jobs kept by both
)

// BenchmarkSubmitClaimSettle runs a job from its creation to its kept result:
// parallel producers that are workers too, each creating, claiming and settling
// batches of 16.
func BenchmarkSubmitClaimSettle(b *testing.B) {
	s := memstore.New(memstore.WithMaxFinished(benchKept))
	b.ReportAllocs()
	reportRate(b, storeRate(b, s, b.N))
}

// BenchmarkBareQueue is what any queue in memory has to pay; see bareQueue.
func BenchmarkBareQueue(b *testing.B) {
	b.ReportAllocs()
	reportRate(b, bareRate(b, newBareQueue(benchKept, bytes.Clone), b.N))
}

// BenchmarkSideBySide runs both by turns and reports how much of the bare queue's
// throughput the store reaches: while they fill, when each job is kept, and when
// they are full, when each job takes the place of another.
//
// share compares with a bare queue that hands out copies, as a store has to: what it
// hands out is the worker's to change, and a failed job is run again from what it
// kept. share-lent compares with one that lends its only copy and can retry nothing.
func BenchmarkSideBySide(b *testing.B) {
	b.Run("filling", func(b *testing.B) {
		sideBySide(b, newContest)
	})
	b.Run("full", func(b *testing.B) {
		c := newContest()
		c.round(b)
		sideBySide(b, func() *contest { return c })
	})
}

// contest is a store and two bare queues, with the sums of the rates they reached.
type contest struct {
	store              *memstore.Store
	copying, lending   *bareQueue
	stored, bare, lent float64
}

func newContest() *contest {
	return &contest{
		store:   memstore.New(memstore.WithMaxFinished(benchKept)),
		copying: newBareQueue(benchKept, bytes.Clone),
		lending: newBareQueue(benchKept, func(request []byte) []byte { return request }),
	}
}

func (c *contest) round(b *testing.B) {
	b.Helper()
	c.stored += storeRate(b, c.store, benchKept)
	c.bare += bareRate(b, c.copying, benchKept)
	c.lent += bareRate(b, c.lending, benchKept)
}

func sideBySide(b *testing.B, open func() *contest) {
	b.Helper()
	var stored, bare, lent float64
	rounds := 0
	for b.Loop() {
		c := open()
		c.stored, c.bare, c.lent = 0, 0, 0
		c.round(b)
		stored, bare, lent = stored+c.stored, bare+c.bare, lent+c.lent
		rounds++
	}
	b.ReportMetric(stored/float64(rounds), "jobs/s")
	b.ReportMetric(bare/float64(rounds), "bare-jobs/s")
	b.ReportMetric(stored/bare, "share")
	b.ReportMetric(stored/lent, "share-lent")
}

func reportRate(b *testing.B, rate float64) {
	b.Helper()
	b.ReportMetric(rate, "jobs/s")
}

// storeRate takes at least that many jobs through the store, on as many
// goroutines as there are processors, and returns jobs per second.
func storeRate(b *testing.B, s *memstore.Store, jobs int) float64 {
	b.Helper()
	request := bytes.Repeat([]byte("r"), benchRequest)
	result := store.Result{Response: store.Response{Status: 200}, Data: bytes.Repeat([]byte("s"), benchResult)}
	job := store.NewJob{
		Route: "POST /reports", Queue: "default", MaxAttempts: 4,
		Retention: benchRetention, Request: request,
	}
	want := []store.Want{{Queue: "default", Max: benchBatch}}
	return parallel(b, jobs, func(ctx context.Context) func() {
		session, err := s.Join(ctx, "bench", time.Hour)
		require.NoError(b, err)
		return func() {
			for range benchBatch {
				if _, _, err := s.Create(ctx, job); err != nil {
					b.Error(err)
				}
			}
			batch, err := session.Claim(ctx, want)
			if err != nil {
				b.Error(err)
			}
			for _, c := range batch.Claims {
				if _, err := session.Settle(ctx, c.Ref, store.Complete(result)); err != nil {
					b.Error(err)
				}
			}
		}
	})
}

// bareRate does the same with the bare queue.
func bareRate(b *testing.B, q *bareQueue, jobs int) float64 {
	b.Helper()
	request := bytes.Repeat([]byte("r"), benchRequest)
	result := bytes.Repeat([]byte("s"), benchResult)
	return parallel(b, jobs, func(context.Context) func() {
		return func() {
			for range benchBatch {
				q.push(request)
			}
			for range benchBatch {
				if q.pop() != nil {
					q.keep(result)
				}
			}
		}
	})
}

// parallel runs rounds of benchBatch jobs until there were as many as asked for.
func parallel(b *testing.B, jobs int, open func(context.Context) func()) float64 {
	b.Helper()
	const workers = 2
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	rounds := (jobs + benchBatch - 1) / benchBatch
	var begun atomic.Int64
	var done sync.WaitGroup
	start := time.Now()
	for range workers {
		round := open(ctx)
		done.Go(func() {
			for begun.Add(1) <= int64(rounds) {
				round()
			}
		})
	}
	done.Wait()
	return float64(rounds*benchBatch) / time.Since(start).Seconds()
}

// bareQueue is the least that can be called a queue in memory: one mutex, a slice
// of waiting requests and a ring of kept results. It copies the request in and the
// result in, because the caller may reuse its memory. It has no ids, states,
// sessions, owners or expiry.
type bareQueue struct {
	handOut func(request []byte) []byte

	mu      sync.Mutex
	waiting [][]byte
	kept    [][]byte
	next    int
}

func newBareQueue(kept int, handOut func([]byte) []byte) *bareQueue {
	return &bareQueue{kept: make([][]byte, kept), handOut: handOut}
}

func (q *bareQueue) push(request []byte) {
	own := bytes.Clone(request)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, own)
}

func (q *bareQueue) pop() []byte { return q.handOut(q.first()) }

func (q *bareQueue) first() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return nil
	}
	request := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	return request
}

func (q *bareQueue) keep(result []byte) {
	own := bytes.Clone(result)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.kept[q.next] = own
	q.next = (q.next + 1) % len(q.kept)
}
