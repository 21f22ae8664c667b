package memstore

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/asyncendpoints/gin-async/store"
)

// visitsPerLock is how many jobs a List looks at before it lets others in: a
// filter may pass few of very many.
const visitsPerLock = 1024

// List implements store.Jobs. A page is not a snapshot: jobs that are created
// meanwhile may be missing from it, none is there twice.
func (s *Store) List(ctx context.Context, query store.Query) (store.Page, error) {
	p := pager{query: query, size: query.PageSize()}
	before, err := s.openCursor(query)
	for err == nil && !p.done {
		if err = ctx.Err(); err == nil {
			before = s.visit(&p, before)
		}
	}
	if err != nil {
		return store.Page{}, err
	}
	page := store.Page{Jobs: p.jobs}
	if p.more {
		page.Next = s.newCursor(query, p.last)
	}
	return page, nil
}

// pager collects one page.
type pager struct {
	query store.Query
	size  int
	jobs  []store.Job
	last  uint64 // seq of the last job collected
	more  bool   // there is a job for the next page
	done  bool
}

// take looks at one job after the other, newest first.
func (p *pager) take(r *record) {
	job := r.view()
	if !p.query.Matches(&job) {
		return
	}
	if len(p.jobs) == p.size {
		p.more, p.done = true, true
		return
	}
	p.jobs = append(p.jobs, job)
	p.last = r.seq
}

// visit shows the pager some of the owner's jobs that are older than before, and
// returns where to go on.
func (s *Store) visit(p *pager, before uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner := s.owners[p.query.Owner]
	if owner == nil {
		p.done = true
		return before
	}
	now := s.now()
	i := owner.before(before)
	for range visitsPerLock {
		if i < 0 {
			p.done = true
		}
		if p.done {
			break
		}
		e := owner.entries[i]
		if r := s.jobs.at(e.job); r != nil && !r.expired(now) {
			p.take(r)
		}
		before = e.seq
		i--
	}
	return before
}

const seqBase = 36

// newCursor points at the job of that seq.
func (s *Store) newCursor(query store.Query, seq uint64) string {
	return store.NewCursor(query, s.cursorTag+strconv.FormatUint(seq, seqBase))
}

// openCursor returns the seq that the page has to begin below.
func (s *Store) openCursor(query store.Query) (uint64, error) {
	if query.Cursor == "" {
		return math.MaxUint64, nil
	}
	position, err := store.OpenCursor(query)
	if err != nil {
		return 0, err
	}
	digits, ours := strings.CutPrefix(position, s.cursorTag)
	seq, err := strconv.ParseUint(digits, seqBase, 64)
	if err != nil || !ours {
		return 0, store.ErrBadCursor
	}
	return seq, nil
}
