package site

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asyncendpoints/gin-async/bench/contestant"
)

// keptIDs is how many ids Submit returns at most.
const keptIDs = 1000

// Submit hands in jobs and returns when the last one is accepted. It returns the ids of
// the first ones.
func (s *Service) Submit(want Submission, ids *[]string) error {
	var next atomic.Int64
	var mu sync.Mutex
	var errs error
	var all sync.WaitGroup
	for range want.Producers {
		all.Go(func() {
			for i := next.Add(1); i <= int64(want.N); i = next.Add(1) {
				id, err := s.submitOne(s.life, want.First+i-1)
				mu.Lock()
				errs = errors.Join(errs, err)
				if len(*ids) < keptIDs {
					*ids = append(*ids, id)
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return errs
}

func (s *Service) submitOne(ctx context.Context, serial int64) (string, error) {
	id, err := s.contestant.Submit(ctx, contestant.Body(serial))
	if err == nil {
		s.submitted.Add(1)
	}
	return id, err
}

// Pump begins to hand in jobs without end. An error is told by Usage.
func (s *Service) Pump(want Pumping, _ *None) error {
	ctx, cancel := context.WithCancel(s.life)
	s.stopPump = cancel
	if own, ok := s.contestant.(contestant.Pumper); ok {
		s.pumps.Go(func() {
			if err := own.Pump(ctx); err != nil {
				s.fail(err)
			}
		})
		return nil
	}
	s.window.resize(want.Window)
	var serial atomic.Int64
	for range want.Producers {
		s.pumps.Go(func() {
			for ctx.Err() == nil && s.window.enter() {
				if _, err := s.submitOne(ctx, serial.Add(1)); err != nil && ctx.Err() == nil {
					s.fail(err)
					return
				}
			}
		})
	}
	return nil
}

// Halt ends Pump.
func (s *Service) Halt(None, *None) error {
	if s.stopPump != nil {
		s.stopPump()
		s.window.end()
		s.pumps.Wait()
	}
	return nil
}

// Trickle hands in jobs with pauses and returns when the last one is accepted and, if so
// asked, seen to be over.
func (s *Service) Trickle(want Trickle, _ *None) error {
	errs := make([]error, want.N)
	var watches sync.WaitGroup
	for i := range want.N {
		serial := int64(i)
		s.stamps.note(serial, func(stamp *Stamp) { stamp.Submitted = time.Now() })
		id, err := s.submitOne(s.life, serial)
		if err != nil {
			errs[i] = err
			break
		}
		if want.Watch {
			watches.Go(func() { errs[i] = s.watch(serial, id) })
		}
		pause := want.Gap/2 + time.Duration(rand.Int64N(int64(want.Gap)+1))
		if err := rest(s.life, pause); err != nil {
			errs[i] = err
			break
		}
	}
	watches.Wait()
	return errors.Join(errs...)
}

func (s *Service) watch(serial int64, id string) error {
	watcher, ok := s.contestant.(contestant.Watcher)
	if !ok {
		return errors.New("this contestant cannot be watched")
	}
	err := watcher.Watch(s.life, id)
	s.stamps.note(serial, func(stamp *Stamp) { stamp.Seen = time.Now() })
	return err
}

// rest waits.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
