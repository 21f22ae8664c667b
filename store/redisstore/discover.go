package redisstore

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// discover finds partitions that only other processes use. Those that cannot be asked
// now are noted, for askAgain: a server that is away keeps nobody from the others.
func (s *Store) discover(ctx context.Context) {
	for i := range s.partitions {
		s.partitions[i].unknown.Store(i >= int(s.served.Load()))
	}
	ctx, cancel := part(ctx, joinPatience)
	defer cancel()
	s.askAgain(ctx)
}

// askAgain finds out about the partitions of which it is not known whether they are used.
// Of each server it is one call.
func (s *Store) askAgain(ctx context.Context) {
	unknown := s.unknown()
	if len(unknown) == 0 {
		return
	}
	// Each command has its own answer or error.
	answers, _ := await(ctx, s, func(ctx context.Context) ([]redis.Cmder, error) {
		return s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, i := range unknown {
				pipe.Exists(ctx, s.partitions[i].key)
			}
			return nil
		})
	})
	for k, answer := range answers {
		i := unknown[k]
		// When a server of a Cluster hangs, the client puts the error on the commands
		// that the others answered, too; a yes can be told even so.
		exists, ok := answer.(*redis.IntCmd)
		switch {
		case ok && exists.Val() > 0:
			s.partitions[i].unknown.Store(false)
			s.serve(i + 1)
		case ok && exists.Err() == nil:
			s.partitions[i].unknown.Store(false)
		}
	}
}

// unknown returns the indexes of the partitions to ask again.
func (s *Store) unknown() []int {
	var unknown []int
	for i := int(s.served.Load()); i < len(s.partitions); i++ {
		if s.partitions[i].unknown.Load() {
			unknown = append(unknown, i)
		}
	}
	return unknown
}

// serve has at least n partitions read from now on.
func (s *Store) serve(n int) {
	for now := s.served.Load(); int(now) < n; now = s.served.Load() {
		if s.served.CompareAndSwap(now, int32(n)) {
			return
		}
	}
}
