package redisstore

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/asyncendpoints/gin-async/store"
)

const (
	// visitsPerCall is how many jobs one call looks at: a filter may pass few of very
	// many, and other calls wait meanwhile.
	visitsPerCall = 500
	// cursorTag begins the positions of this store.
	cursorTag = "redis:"
)

// place is where a job stands among those of its owner: by order of creation, the
// newest first, and by partition.
type place struct {
	order  int64 // microseconds
	letter byte
}

// before compares two places: negative when p is listed first.
func (p place) before(other place) int {
	if c := cmp.Compare(other.order, p.order); c != 0 {
		return c
	}
	return cmp.Compare(p.letter, other.letter)
}

// listed is a job with its place.
type listed struct {
	place
	job store.Job
}

// List implements store.Jobs. A page is not a snapshot: jobs that are created meanwhile
// may be missing from it. It merges the partitions; jobs of different partitions are
// ordered by the clocks of their servers. While the server of one partition is away
// there is no list at all, only an error: it would lack jobs and not show it.
func (s *Store) List(ctx context.Context, query store.Query) (store.Page, error) {
	if s.err != nil {
		return store.Page{}, s.err
	}
	from, err := openCursor(query)
	if err != nil {
		return store.Page{}, err
	}
	size := query.PageSize()
	var found []listed
	partitions := s.all()
	for i := range partitions {
		jobs, err := partitions[i].list(ctx, query, from, size+1)
		if err != nil {
			return store.Page{}, err
		}
		found = append(found, jobs...)
	}
	slices.SortFunc(found, func(a, b listed) int { return a.before(b.place) })

	var page store.Page
	for _, l := range found[:min(size, len(found))] {
		page.Jobs = append(page.Jobs, l.job)
	}
	if len(found) > size {
		page.Next = newCursor(query, found[size-1].place)
	}
	return page, nil
}

// list returns up to limit jobs of the partition that stand behind from.
func (p *partition) list(ctx context.Context, query store.Query, from *place, limit int) ([]listed, error) {
	var found []listed
	for next := p.bound(from); next != ""; {
		args := []any{query.Owner, next, query.Route, limit - len(found), visitsPerCall}
		for _, state := range query.States {
			args = append(args, letterText(state))
		}
		reply, err := p.run(ctx, p.store.scripts.list, nil, args...)
		if err != nil {
			return nil, err
		}
		rows, ok := reply.([]any)
		if !ok || len(rows) == 0 {
			return nil, errReply("list", reply)
		}
		for _, row := range rows[1:] {
			l, err := p.row(row)
			if err != nil {
				return nil, err
			}
			found = append(found, l)
		}
		next, _ = rows[0].(string)
		if len(found) >= limit {
			break
		}
	}
	return found, nil
}

// row reads one job of a list.
func (p *partition) row(reply any) (listed, error) {
	values, ok := reply.([]any)
	if !ok || len(values) != 2+viewSize {
		return listed{}, errReply("list", reply)
	}
	order, _ := values[0].(string)
	id, _ := values[1].(string)
	n, err := strconv.ParseFloat(order, 64)
	if err != nil {
		return listed{}, errReply("list", reply)
	}
	job, err := jobOf("list", id, values[2:])
	return listed{place{int64(n), p.letter}, job}, err
}

// bound is where the partition goes on behind a place, for ZRANGE.
func (p *partition) bound(from *place) string {
	switch {
	case from == nil:
		return "+inf"
	case p.letter > from.letter:
		return strconv.FormatInt(from.order, 10)
	}
	return "(" + strconv.FormatInt(from.order, 10)
}

func newCursor(query store.Query, at place) string {
	return store.NewCursor(query, cursorTag+string(at.letter)+strconv.FormatInt(at.order, 36))
}

// openCursor returns the place of the last job of the page before; nil: there is none.
func openCursor(query store.Query) (*place, error) {
	if query.Cursor == "" {
		return nil, nil
	}
	position, err := store.OpenCursor(query)
	if err != nil {
		return nil, err
	}
	rest, ours := strings.CutPrefix(position, cursorTag)
	if !ours || rest == "" || strings.IndexByte(letters, rest[0]) < 0 {
		return nil, store.ErrBadCursor
	}
	order, err := strconv.ParseInt(rest[1:], 36, 64)
	if err != nil || order < 0 {
		return nil, store.ErrBadCursor
	}
	return &place{order, rest[0]}, nil
}
