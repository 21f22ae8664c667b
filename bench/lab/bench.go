package lab

import (
	"context"
	"slices"
	"time"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/site"
)

// Bench is what one run has on the table: an empty Redis and some sites.
type Bench struct {
	lab   *Lab
	sites []*site.Site
}

// Open starts a site with a contestant that runs up to that many jobs at once; 0: it only
// submits.
func (b *Bench) Open(ctx context.Context, kind contestant.Kind, concurrency int, options ...func(*site.Setup)) (*site.Site, error) {
	setup := site.Setup{Setup: contestant.Setup{Kind: kind, Redis: b.lab.redis.Addr(), Concurrency: concurrency}}
	for _, option := range options {
		option(&setup)
	}
	opened, err := site.Start(ctx, setup)
	if err == nil {
		b.sites = append(b.sites, opened)
	}
	return opened, err
}

// Gated makes the jobs of a site wait until its gate is opened.
func Gated(s *site.Setup) { s.Gated = true }

// Stamped makes a site note the times of each job.
func Stamped(s *site.Setup) { s.Stamped = true }

// Kill ends a site before the run does.
func (b *Bench) Kill(s *site.Site) {
	s.Kill()
	b.sites = slices.DeleteFunc(b.sites, func(other *site.Site) bool { return other == s })
}

func (b *Bench) clear() {
	for _, s := range b.sites {
		s.Kill()
	}
}

// RedisMemory returns how many bytes the data takes.
func (b *Bench) RedisMemory(ctx context.Context) (int64, error) { return b.lab.redis.Memory(ctx) }

// Reading is what sites and Redis have used and done so far.
type Reading struct {
	At            time.Time
	Kept, Calls   int64
	CPU, RedisCPU time.Duration
	RedisCommands int64
}

// Read takes a reading of all sites of the run and of Redis.
func (b *Bench) Read(ctx context.Context) (Reading, error) {
	reading := Reading{At: time.Now()}
	for _, s := range b.sites {
		usage, err := s.Usage(ctx)
		if err != nil {
			return Reading{}, err
		}
		reading.Kept += usage.Kept
		reading.Calls += usage.Calls
		reading.CPU += usage.CPU
	}
	usage, err := b.lab.redis.Usage(ctx)
	reading.RedisCPU, reading.RedisCommands = usage.CPU, usage.Commands
	return reading, err
}

// Over lets the run go on for a span and returns what was used and done in it.
func (b *Bench) Over(ctx context.Context, span time.Duration) (Flow, error) {
	return b.over(ctx, span, func(Flow) bool { return true })
}

// OverJobs is Over for a span in which jobs are kept: if there was none it goes on for a
// further span, and so on.
func (b *Bench) OverJobs(ctx context.Context, span time.Duration) (Flow, error) {
	return b.over(ctx, span, func(f Flow) bool { return f.Jobs > 0 })
}

func (b *Bench) over(ctx context.Context, span time.Duration, enough func(Flow) bool) (Flow, error) {
	before, err := b.Read(ctx)
	if err != nil {
		return Flow{}, err
	}
	tick := time.NewTicker(span)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return Flow{}, ctx.Err()
		}
		after, err := b.Read(ctx)
		if flow := before.until(after); err != nil || enough(flow) {
			return flow, err
		}
	}
}

// Flow is what was used and done between two readings.
type Flow struct {
	Took          time.Duration
	Jobs, Calls   float64
	CPU, RedisCPU time.Duration
	RedisCommands float64
}

func (r Reading) until(later Reading) Flow {
	return Flow{
		Took: later.At.Sub(r.At),
		Jobs: float64(later.Kept - r.Kept), Calls: float64(later.Calls - r.Calls),
		CPU: later.CPU - r.CPU, RedisCPU: later.RedisCPU - r.RedisCPU,
		RedisCommands: float64(later.RedisCommands - r.RedisCommands),
	}
}
