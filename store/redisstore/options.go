package redisstore

import (
	"fmt"
	"strings"
	"time"
)

// Option sets something of a Store.
type Option func(*Store)

const defaultPrefix = "ginasync"

// WithPrefix begins all keys and channels with prefix, so that several applications
// share one Redis. It must not be empty nor have braces. Default: "ginasync".
func WithPrefix(prefix string) Option {
	return func(s *Store) {
		if prefix == "" || strings.ContainsAny(prefix, "{}") {
			s.mistake("WithPrefix(%q): give a name without braces: they are the hash tags of Cluster", prefix)
			return
		}
		s.prefix = prefix
	}
}

// WithPartitions spreads new jobs over n partitions, 1 to 32, each of which is in one
// slot of a Cluster: take a small multiple of the number of masters. Where 2, 3, 4, 6, 8
// or 12 masters have equal parts of the slots, each gets the same number of partitions if
// n is a multiple of theirs, or else at most one more than any other. Without Cluster one
// partition is best, since a worker asks each of them for jobs.
//
// The order of jobs is kept within a partition only. The bound on waiting jobs is divided
// among the partitions. All processes should have the same number; while it changes, a
// process with workers also serves the partitions that it finds when it starts, and a
// request repeated with the same idempotency key may be stored again. Default: 1.
func WithPartitions(n int) Option {
	return func(s *Store) {
		if n < 1 || n > len(letters) {
			s.mistake("WithPartitions(%d): give 1 to %d", n, len(letters))
			return
		}
		s.own = n
	}
}

// WithReplicas makes Create wait until n replicas have the job (the WAIT command), at
// most for timeout; so that no accepted job is lost with a server that fails. With
// fewer replicas Create takes the job back and returns ErrNotReplicated. The timeout
// must be at least 1 ms. Default: no waiting.
//
// Replication has a delay and a fail-over may choose another replica: see the
// documentation of WAIT for what it does not promise.
func WithReplicas(n int, timeout time.Duration) Option {
	return func(s *Store) {
		if n < 1 || timeout < time.Millisecond {
			s.mistake("WithReplicas(%d, %v): give at least 1 replica and 1ms; leave it out to wait for none", n, timeout)
			return
		}
		s.replicas, s.replicaTimeout = n, timeout
	}
}

// mistake notes what is wrong with an option and how to mend it.
func (s *Store) mistake(format string, args ...any) {
	s.mistakes = append(s.mistakes, fmt.Errorf("redisstore: "+format, args...))
}
