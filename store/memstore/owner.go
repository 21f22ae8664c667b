package memstore

import "sort"

// ledger lists the jobs of one owner in the order of their creation. Removed
// jobs leave a gap; gaps at the front go at once, the others when they are half
// of the ledger. Adding and removing take constant time on average.
type ledger struct {
	name    string
	entries []entry
	origin  int // slot of entries[0]
	gaps    int
}

// entry keeps the number of a removed job so that the ledger stays searchable.
type entry struct {
	seq uint64
	job *record // nil: removed
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
	l.entries = append(l.entries, entry{r.seq, r})
}

// leaveOwner takes a record out of its ledger and forgets the ledger with its
// last record.
func (s *Store) leaveOwner(r *record) {
	l := r.owner
	l.entries[r.slot-l.origin].job = nil
	l.gaps++
	for len(l.entries) > 0 && l.entries[0].job == nil {
		l.entries = l.entries[1:]
		l.origin++
		l.gaps--
	}
	if len(l.entries) == 0 {
		delete(s.owners, l.name)
		return
	}
	if len(l.entries) >= compactFrom && l.gaps > len(l.entries)/2 {
		l.compact()
	}
}

func (l *ledger) compact() {
	kept := make([]entry, 0, len(l.entries)-l.gaps)
	for _, e := range l.entries {
		if e.job != nil {
			e.job.slot = len(kept)
			kept = append(kept, e)
		}
	}
	l.entries, l.origin, l.gaps = kept, 0, 0
}

// before returns the index of the newest entry older than seq; -1 when there is
// none.
func (l *ledger) before(seq uint64) int {
	return sort.Search(len(l.entries), func(i int) bool { return l.entries[i].seq >= seq }) - 1
}
