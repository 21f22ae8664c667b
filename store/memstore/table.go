package memstore

import "encoding/binary"

// table is a hash table with open addressing: a few bytes for each record, all in
// one slice, so that finding one costs a single cache miss. A Go map takes several,
// which was a fifth of the time that the whole life of a job took. It grows, in one
// go, and never shrinks.
type table struct {
	cells []cell // a power of two, at most half of them used
	shift uint   // from a tag to its home
	used  int
}

// cell is a used place of the table, or the zero value. Several records may have
// the same tag: who looks for an id has to compare it.
type cell struct {
	tag    uint32
	number number
}

const firstCells = 64

func newTable() table { return table{cells: make([]cell, firstCells), shift: 32 - 6} }

// tagOf hashes eight of the random characters of an id. Ids come from the store
// alone, so nobody can choose them to collide.
func tagOf(id string) uint32 {
	const first, golden = 1, 0x9e3779b97f4a7c15
	if len(id) < first+8 {
		return 0
	}
	return uint32(binary.LittleEndian.Uint64([]byte(id[first:first+8])) * golden >> 32)
}

// home is where the search for a tag begins.
func (t *table) home(tag uint32) int { return int(tag >> t.shift) }

// after is the next place, around the end.
func (t *table) after(i int) int { return (i + 1) & (len(t.cells) - 1) }

func (t *table) add(c cell) {
	if 2*(t.used+1) > len(t.cells) {
		t.grow()
	}
	t.used++
	t.put(c)
}

// put enters a cell at the first free place from its home.
func (t *table) put(c cell) {
	i := t.home(c.tag)
	for t.cells[i].number != 0 {
		i = t.after(i)
	}
	t.cells[i] = c
}

func (t *table) grow() {
	old := t.cells
	t.cells = make([]cell, 2*len(old))
	t.shift--
	for _, c := range old {
		if c.number != 0 {
			t.put(c)
		}
	}
}

// remove takes out a cell that is in the table and closes the gap: a search ends
// at the first free place.
func (t *table) remove(c cell) {
	gap := t.home(c.tag)
	for t.cells[gap] != c {
		gap = t.after(gap)
	}
	mask := len(t.cells) - 1
	for i := t.after(gap); t.cells[i].number != 0; i = t.after(i) {
		// A cell may move back into the gap unless the gap lies before its home.
		fromHome := (i - t.home(t.cells[i].tag)) & mask
		if fromGap := (i - gap) & mask; fromHome >= fromGap {
			t.cells[gap] = t.cells[i]
			gap = i
		}
	}
	t.cells[gap] = cell{}
	t.used--
}
