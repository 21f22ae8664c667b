package memstore

// Records is the number of jobs in memory, expired or not.
func (s *Store) Records() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.jobs.table.used
}

// Watched is the number of jobs that are watched.
func (s *Store) Watched() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.watches)
}

// Bytes is what WithMaxBytes bounds.
func (s *Store) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// Leftovers counts what should be gone when the last job is: keys, owners, queues,
// shelves, and bytes.
func (s *Store) Leftovers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.keys) + len(s.owners) + len(s.queues) + len(s.archive.shelves) +
		len(s.archive.order) + int(s.bytes) + int(s.archive.bytes)
}

// TagChars is how many characters of an id make its tag in the table.
const TagChars = 8

// Table is the hash table of the index.
type Table struct{ table table }

// NewTable returns an empty one.
func NewTable() *Table { return &Table{newTable()} }

// Add enters a number under a tag.
func (t *Table) Add(tag, n uint32) { t.table.add(cell{tag, number(n)}) }

// Remove takes it out again.
func (t *Table) Remove(tag, n uint32) { t.table.remove(cell{tag, number(n)}) }

// Find returns the numbers that a search for the tag meets.
func (t *Table) Find(tag uint32) []uint32 {
	var found []uint32
	for i := t.table.home(tag); t.table.cells[i].number != 0; i = t.table.after(i) {
		if t.table.cells[i].tag == tag {
			found = append(found, uint32(t.table.cells[i].number))
		}
	}
	return found
}

// Places is the length of an owner's ledger, gaps included.
func (s *Store) Places(owner string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.owners[owner].entries)
}
