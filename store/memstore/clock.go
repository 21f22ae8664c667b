package memstore

import "time"

// stamp is a time of day as a job shows it, in nanoseconds of Unix time; 0: not yet.
type stamp int64

func (t stamp) time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(t)).UTC()
}

// elapsed is the time since the store was made. Everything that runs out is
// compared by it: when the clock of the machine is set, no lease ends early and no
// job comes late.
type elapsed time.Duration

// moment is one reading of the clock.
type moment struct {
	stamp   stamp
	elapsed elapsed
}

// now reads the clock. It is called with the lock held: elapsed never runs
// backwards from one change to the next.
func (s *Store) now() moment {
	t := time.Now()
	return moment{stamp(t.UnixNano()), elapsed(t.Sub(s.birth))}
}

// add returns the moment that is d later.
func (m moment) add(d time.Duration) moment {
	return moment{m.stamp + stamp(d), m.elapsed + elapsed(d)}
}

// longest bounds what a caller may wait for, far from where a stamp overflows.
const longest = 100 * 365 * 24 * time.Hour

// bounded brings a duration into the range 0 to a hundred years.
func bounded(d time.Duration) time.Duration { return min(max(d, 0), longest) }
