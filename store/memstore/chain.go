package memstore

// chain is a doubly linked list of records: any record leaves it at once, without
// a search and without leaving a gap. A record is in at most one chain. The links
// are numbers of the index, not pointers; see index.
type chain struct {
	records    *index
	head, tail number
	len        int
}

// first returns the record in front, or nil.
func (c *chain) first() *record { return c.records.at(c.head) }

// last returns the record at the end, or nil.
func (c *chain) last() *record { return c.records.at(c.tail) }

// after returns the record behind r, or nil.
func (c *chain) after(r *record) *record { return c.records.at(r.next) }

func (c *chain) pushBack(r *record) {
	r.prev, r.next = c.tail, 0
	if last := c.last(); last != nil {
		last.next = r.number
	} else {
		c.head = r.number
	}
	c.tail = r.number
	c.len++
}

func (c *chain) pushFront(r *record) {
	r.prev, r.next = 0, c.head
	if first := c.first(); first != nil {
		first.prev = r.number
	} else {
		c.tail = r.number
	}
	c.head = r.number
	c.len++
}

func (c *chain) remove(r *record) {
	if before := c.records.at(r.prev); before != nil {
		before.next = r.next
	} else {
		c.head = r.next
	}
	if behind := c.records.at(r.next); behind != nil {
		behind.prev = r.prev
	} else {
		c.tail = r.prev
	}
	r.prev, r.next = 0, 0
	c.len--
}
