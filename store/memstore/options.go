package memstore

const (
	defaultMaxFinished = 100_000
	defaultMaxBytes    = 1 << 30
)

// Option changes a default of New.
type Option func(*Store)

// WithMaxFinished bounds the number of finished jobs that are kept: when there
// are more, the one that would expire first is dropped before its time, with its
// result and its key. The default is 100 000; n below 1 means the default.
func WithMaxFinished(n int) Option {
	return func(s *Store) {
		if n < 1 {
			n = defaultMaxFinished
		}
		s.maxFinished = n
	}
}

// WithMaxBytes bounds the bytes of the requests, envelopes and results that are
// kept. When a new job or a new result would pass it, finished jobs are dropped
// first, beginning with the one that would expire first; when that is not enough,
// Create returns store.ErrFull and drops none. Job fields and bookkeeping, below
// 1 KiB a job, come on top. The default is 1 GiB; n below 1 means the default.
func WithMaxBytes(n int64) Option {
	return func(s *Store) {
		if n < 1 {
			n = defaultMaxBytes
		}
		s.maxBytes = n
	}
}
