package memstore

import (
	"slices"
	"sort"
)

// ledger lists the jobs of one owner in the order of their creation. A removed job
// leaves a gap. Gaps at the front are given up when they are half of the ledger,
// and all of them when half of the rest is gaps: adding and removing take constant
// time on average.
type ledger struct {
	name    string
	entries []entry
	origin  int // slot of entries[0]
	front   int // how many entries at the front are gaps
	gaps    int // how many of the others are
	waiting int // jobs that are queued or scheduled
}

// entry keeps the seq of a removed job so that the ledger stays searchable.
type entry struct {
	seq uint64
	job number // 0: removed
}

// compactFrom is the length from which gaps are worth removing.
const compactFrom = 32

// joinOwner puts a new record into the ledger of an owner.
func (s *Store) joinOwner(r *record, name string) {
	l := s.owners[name]
	if l == nil {
		l = &ledger{name: name}
		s.owners[name] = l
	}
	r.owner = l
	r.slot = l.origin + len(l.entries)
	l.entries = append(l.entries, entry{r.seq, r.number})
}

// waitingOf is the number of jobs that MaxWaitingOfOwner bounds.
func (s *Store) waitingOf(owner string) int {
	if l := s.owners[owner]; l != nil && owner != "" {
		return l.waiting
	}
	return 0
}

// leaveOwner takes a record out of its ledger and forgets the ledger with its
// last record.
func (s *Store) leaveOwner(r *record) {
	l := r.owner
	l.entries[r.slot-l.origin].job = 0
	l.gaps++
	for l.front < len(l.entries) && l.entries[l.front].job == 0 {
		l.front++
		l.gaps--
	}
	length := len(l.entries) - l.front
	switch {
	case length == 0:
		delete(s.owners, l.name)
	case l.front >= compactFrom && l.front > length:
		l.advance()
	case length >= compactFrom && l.gaps > length/2:
		l.compact(s.jobs)
	}
}

// advance gives up the gaps at the front. The slots of the others stay the same.
func (l *ledger) advance() {
	kept := l.entries[l.front:]
	if len(kept) < cap(l.entries)/4 {
		l.entries = slices.Clone(kept) // the owner had many more jobs once
	} else {
		l.entries = append(l.entries[:0], kept...)
	}
	l.origin += l.front
	l.front = 0
}

// compact gives up all gaps and numbers the slots anew.
func (l *ledger) compact(records *index) {
	kept := make([]entry, 0, len(l.entries)-l.front-l.gaps)
	for _, e := range l.entries[l.front:] {
		if r := records.at(e.job); r != nil {
			r.slot = len(kept)
			kept = append(kept, e)
		}
	}
	l.entries, l.origin, l.front, l.gaps = kept, 0, 0, 0
}

// before returns the index of the newest entry older than seq; -1 when there is
// none.
func (l *ledger) before(seq uint64) int {
	return sort.Search(len(l.entries), func(i int) bool { return l.entries[i].seq >= seq }) - 1
}
