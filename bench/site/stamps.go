package site

import (
	"maps"
	"sync"
)

// stamps are those of the jobs by serial number.
type stamps struct {
	mu  sync.Mutex
	all map[int64]Stamp
}

func (s *stamps) init() { s.all = make(map[int64]Stamp) }

// note changes the stamp of a job.
func (s *stamps) note(serial int64, change func(*Stamp)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stamp := s.all[serial]
	change(&stamp)
	s.all[serial] = stamp
}

func (s *stamps) copy() map[int64]Stamp {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.all)
}
