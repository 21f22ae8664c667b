package memstore

// chain is a doubly linked list through the records themselves: any record
// leaves it at once, without a search and without leaving a gap.
type chain struct {
	first, last *record
	len         int
}

func (c *chain) pushBack(r *record) {
	r.prev, r.next = c.last, nil
	if c.last == nil {
		c.first = r
	} else {
		c.last.next = r
	}
	c.last = r
	c.len++
}

func (c *chain) pushFront(r *record) {
	r.prev, r.next = nil, c.first
	if c.first == nil {
		c.last = r
	} else {
		c.first.prev = r
	}
	c.first = r
	c.len++
}

func (c *chain) remove(r *record) {
	if r.prev == nil {
		c.first = r.next
	} else {
		r.prev.next = r.next
	}
	if r.next == nil {
		c.last = r.prev
	} else {
		r.next.prev = r.prev
	}
	r.prev, r.next = nil, nil
	c.len--
}
