package site

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/asyncendpoints/gin-async/bench/contestant"
)

// Service is the child's side. Its methods are called by package net/rpc.
type Service struct {
	life  context.Context //nolint:containedctx // net/rpc hands none to its methods
	setup Setup

	contestant contestant.Contestant
	result     []byte
	gate       chan struct{}
	openOnce   sync.Once
	stamps     stamps
	window     *window
	stopPump   context.CancelFunc
	pumps      sync.WaitGroup
	pumpErr    chan error

	submitted, started, kept, calls atomic.Int64
}

// Open makes the contestant.
func (s *Service) Open(setup Setup, _ *None) error {
	s.setup = setup
	s.result = contestant.Result()
	s.gate = make(chan struct{})
	s.pumpErr = make(chan error, 1)
	s.stamps.init()
	s.window = newWindow()
	if !setup.Gated {
		s.openGate()
	}
	made, err := contestant.Open(s.life, setup.Setup, contestant.Work{Do: s.do, Kept: s.keep, Called: s.call})
	s.contestant = made
	return err
}

func (s *Service) openGate() { s.openOnce.Do(func() { close(s.gate) }) }

// Gate lets gated jobs go on, from now on.
func (s *Service) Gate(None, *None) error {
	s.openGate()
	return nil
}

// do is the work of all jobs.
func (s *Service) do(ctx context.Context, body []byte) []byte {
	s.started.Add(1)
	if s.setup.Stamped {
		serial := s.serial(body)
		s.stamps.note(serial, func(stamp *Stamp) { stamp.Started = time.Now() })
		defer s.stamps.note(serial, func(stamp *Stamp) { stamp.Ended = time.Now() })
	}
	if s.setup.Gated {
		s.pass(ctx)
	}
	return s.result
}

// pass waits for the gate. Once it is open, a job takes no notice of its context.
func (s *Service) pass(ctx context.Context) {
	select {
	case <-s.gate:
		return
	default:
	}
	select {
	case <-s.gate:
	case <-ctx.Done():
	}
}

func (s *Service) serial(body []byte) int64 {
	serial, err := contestant.Serial(body)
	if err != nil {
		s.fail(err)
	}
	return serial
}

func (s *Service) keep(n int) {
	s.kept.Add(int64(n))
	s.window.leave(n)
}

func (s *Service) call() { s.calls.Add(1) }

// fail keeps the first error of what nobody waits for; Usage returns it.
func (s *Service) fail(err error) {
	select {
	case s.pumpErr <- err:
	default:
	}
}

// Usage tells what was used and done.
func (s *Service) Usage(_ None, usage *Usage) error {
	select {
	case err := <-s.pumpErr:
		return err
	default:
	}
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return err
	}
	*usage = Usage{
		CPU:       time.Duration(used.Utime.Nano() + used.Stime.Nano()),
		Submitted: s.submitted.Load(), Started: s.started.Load(), Kept: s.kept.Load(), Calls: s.calls.Load(),
	}
	return nil
}

// Heap returns the bytes that live on the heap.
func (s *Service) Heap(_ None, bytes *int64) error {
	runtime.GC()
	runtime.GC() // what the first one only marked in pools
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	*bytes = int64(stats.HeapAlloc)
	return nil
}

// Stamps returns what was noted of the jobs, by serial number.
func (s *Service) Stamps(_ None, all *map[int64]Stamp) error {
	*all = s.stamps.copy()
	return nil
}

// Serve begins to serve the contestant over HTTP and returns the address.
func (s *Service) Serve(_ None, addr *string) error {
	server, ok := s.contestant.(contestant.Server)
	if !ok {
		return errors.New("this contestant does not speak HTTP")
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(s.life, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	*addr = listener.Addr().String()
	serving := &http.Server{Handler: server.Handler(), ReadHeaderTimeout: time.Minute}
	go func() { s.fail(serving.Serve(listener)) }()
	return nil
}
