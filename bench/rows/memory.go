package rows

import (
	"context"

	"github.com/asyncendpoints/gin-async/bench/contestant"
	"github.com/asyncendpoints/gin-async/bench/lab"
	"github.com/asyncendpoints/gin-async/bench/site"
)

// footprint is what a job takes, in bytes, while it is queued and when its result is kept.
type footprint struct {
	redisQueued, redisKept     float64
	processQueued, processKept float64
}

// weigh fills a contestant with jobs that wait at a gate, and opens it.
func weigh(ctx context.Context, l *lab.Lab, kind contestant.Kind) (footprint, error) {
	return lab.Once(l, "weight of "+string(kind), func() (footprint, error) {
		return lab.Run(ctx, l, func(ctx context.Context, b *lab.Bench) (footprint, error) {
			s, err := b.Open(ctx, kind, slots, lab.Gated)
			if err != nil {
				return footprint{}, err
			}
			return weighJobs(ctx, b, s, l.Jobs)
		})
	})
}

func weighJobs(ctx context.Context, b *lab.Bench, s *site.Site, n int) (footprint, error) {
	scale := scales{bench: b, site: s, jobs: float64(n)}
	if err := scale.zero(ctx); err != nil {
		return footprint{}, err
	}
	if _, err := s.Submit(ctx, site.Submission{N: n, Producers: slots}); err != nil {
		return footprint{}, err
	}
	var f footprint
	var err error
	if f.redisQueued, f.processQueued, err = scale.perJob(ctx); err != nil {
		return f, err
	}
	if err := s.Open(ctx); err != nil {
		return f, err
	}
	if err := s.Await(ctx, func(u site.Usage) bool { return u.Kept >= int64(n) }); err != nil {
		return f, err
	}
	f.redisKept, f.processKept, err = scale.perJob(ctx)
	return f, err
}

// scales weigh Redis and the process, without what they weighed at first.
type scales struct {
	bench       *lab.Bench
	site        *site.Site
	jobs        float64
	redis, heap int64
}

func (s *scales) zero(ctx context.Context) (err error) {
	if s.redis, err = s.bench.RedisMemory(ctx); err != nil {
		return err
	}
	s.heap, err = s.site.Heap(ctx)
	return err
}

func (s *scales) perJob(ctx context.Context) (redis, process float64, err error) {
	used, err := s.bench.RedisMemory(ctx)
	if err != nil {
		return 0, 0, err
	}
	heap, err := s.site.Heap(ctx)
	return float64(used-s.redis) / s.jobs, float64(heap-s.heap) / s.jobs, err
}

// weight shows one part of a footprint.
func weight(kind contestant.Kind, part func(footprint) float64) Measure {
	return func(ctx context.Context, l *lab.Lab) (float64, error) {
		f, err := weigh(ctx, l, kind)
		return part(f), err
	}
}
