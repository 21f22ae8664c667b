package memstore

// index numbers the records and finds them by id. What refers to very many records
// (its own table, chains, ledgers) does so by number: the garbage collector then
// meets each record once in a cycle, in the order of the slots, where pointers
// would make it follow several to each, in no order and with a cache miss for most.
type index struct {
	slots []*record // slots[0] is nil
	free  []number
	table table
}

// number is the slot of a record; 0 is none.
type number uint32

func newIndex() *index { return &index{slots: make([]*record, 1), table: newTable()} }

// at returns the record of a number; nil for 0.
func (x *index) at(n number) *record { return x.slots[n] }

// get returns the record of an id, or nil.
func (x *index) get(id string) *record {
	t := &x.table
	tag := tagOf(id)
	for i := t.home(tag); t.cells[i].number != 0; i = t.after(i) {
		if t.cells[i].tag != tag {
			continue
		}
		if r := x.at(t.cells[i].number); r.id == id {
			return r
		}
	}
	return nil
}

// add enters a record that is not in the index yet and gives it its number.
func (x *index) add(r *record) {
	if last := len(x.free) - 1; last >= 0 {
		r.number = x.free[last]
		x.free = x.free[:last]
		x.slots[r.number] = r
	} else {
		r.number = number(len(x.slots))
		x.slots = append(x.slots, r)
	}
	r.tag = tagOf(r.id)
	x.table.add(cell{r.tag, r.number})
}

func (x *index) remove(r *record) {
	x.table.remove(cell{r.tag, r.number})
	x.slots[r.number] = nil
	x.free = append(x.free, r.number)
}
