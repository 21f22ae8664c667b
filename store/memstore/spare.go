package memstore

// maxSpare bounds the removed records that are kept for new jobs, about 400 KiB.
const maxSpare = 1024

// spare keeps records of removed jobs: a store that is full makes one job for each
// that it drops, and the memory of the dropped one is at hand.
type spare []*record

// take returns a record to be overwritten.
func (s *spare) take() *record {
	last := len(*s) - 1
	if last < 0 {
		return new(record)
	}
	r := (*s)[last]
	*s = (*s)[:last]
	return r
}

// give keeps a record that nothing refers to once the lock is given up. What it
// holds of the job's bytes is let go.
func (s *spare) give(r *record) {
	r.payload, r.result = nil, nil
	if len(*s) < maxSpare {
		*s = append(*s, r)
	}
}
