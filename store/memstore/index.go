package memstore

import (
	"encoding/binary"

	"github.com/asyncendpoints/gin-async/store"
)

// index finds a record by its id. The map holds no pointers, only numbers of
// slots, so that the garbage collector need not walk it: its entries lie in no
// order, and each would cost the collector a cache miss in every cycle. For the
// same reason its keys are a part of the id.
type index struct {
	numbers map[key]uint32
	slots   []*record
	free    []uint32
}

// key is the first eight of the random characters of an id. No two records of an
// index share them: see taken.
type key uint64

// keyOf needs an id of full length.
func keyOf(id string) key { return key(binary.LittleEndian.Uint64([]byte(id[1:9]))) }

func newIndex() index { return index{numbers: make(map[key]uint32)} }

// get returns the record of an id, or nil.
func (x *index) get(id string) *record {
	if len(id) != store.IDLen {
		return nil
	}
	number, ok := x.numbers[keyOf(id)]
	if !ok || x.slots[number].id != id {
		return nil
	}
	return x.slots[number]
}

// taken reports whether the id cannot be added because another has its key. That
// is rare: a key has 40 random bits.
func (x *index) taken(id string) bool {
	_, ok := x.numbers[keyOf(id)]
	return ok
}

// add enters a record whose id is not taken.
func (x *index) add(r *record) {
	number := uint32(len(x.slots))
	if last := len(x.free) - 1; last >= 0 {
		number = x.free[last]
		x.free = x.free[:last]
		x.slots[number] = r
	} else {
		x.slots = append(x.slots, r)
	}
	x.numbers[keyOf(r.id)] = number
}

func (x *index) remove(r *record) {
	k := keyOf(r.id)
	number := x.numbers[k]
	delete(x.numbers, k)
	x.slots[number] = nil
	x.free = append(x.free, number)
}
