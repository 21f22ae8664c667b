package storetest

import (
	"slices"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func listCases() []testCase {
	return []testCase{
		{"jobs are listed newest first, as Get shows them", listNewestFirst},
		{"a list has the jobs of its owner only", listOwner},
		{"a list is filtered by state and route", listFilter},
		{"pages join to the whole list, and the last has no cursor", listPages},
		{"pages of a filtered list join to the filtered list", listFilteredPages},
		{"a cursor is not moved by jobs that come and go", listStable},
		{"a limit is brought into its range", listLimits},
		{"a cursor of another query, or none at all, is refused", listBadCursor},
	}
}

func (h *harness) list(query store.Query) store.Page {
	h.Helper()
	page, err := h.store.List(h.ctx(), query)
	require.NoError(h, err)
	return page
}

// fill creates n jobs and returns their ids, newest first.
func (h *harness) fill(n int, changes ...func(*store.NewJob)) []string {
	h.Helper()
	var created []string
	for range n {
		created = append(created, h.create(changes...).ID)
	}
	slices.Reverse(created)
	return created
}

func names(jobs []store.Job) []string {
	var listed []string
	for _, j := range jobs {
		listed = append(listed, j.ID)
	}
	return listed
}

// walk lists all pages.
func (h *harness) walk(query store.Query) []string {
	h.Helper()
	var listed []string
	for {
		page := h.list(query)
		assert.LessOrEqual(h, len(page.Jobs), query.PageSize())
		listed = append(listed, names(page.Jobs)...)
		if page.Next == "" {
			return listed
		}
		require.NotEmpty(h, page.Jobs, "a page that is not the last has jobs")
		query.Cursor = page.Next
	}
}

func listNewestFirst(h *harness) {
	created := h.fill(5)
	page := h.list(store.Query{Owner: "alice"})
	assert.Equal(h, created, names(page.Jobs))
	assert.Empty(h, page.Next)
	for _, j := range page.Jobs {
		h.same(h.get(j.ID), j)
	}
}

func listOwner(h *harness) {
	alice, bob, nobody := h.fill(2), h.fill(1, ownedBy("bob")), h.fill(1, ownedBy(""))
	assert.Equal(h, alice, names(h.list(store.Query{Owner: "alice"}).Jobs))
	assert.Equal(h, bob, names(h.list(store.Query{Owner: "bob"}).Jobs))
	assert.Equal(h, nobody, names(h.list(store.Query{}).Jobs))
	assert.Empty(h, h.list(store.Query{Owner: "Alice"}).Jobs)
}

func listFilter(h *harness) {
	queued := h.create().ID
	other := h.create(func(j *store.NewJob) { j.Route = "POST /thumbnails" }).ID
	scheduled := h.create(delayed(time.Hour)).ID
	canceled := h.cancel(h.create().ID).ID
	for _, c := range []struct {
		states []store.State
		route  string
		want   []string
	}{
		{nil, "", []string{canceled, scheduled, other, queued}},
		{[]store.State{store.Queued}, "", []string{other, queued}},
		{[]store.State{store.Canceled, store.Scheduled}, "", []string{canceled, scheduled}},
		{nil, "POST /thumbnails", []string{other}},
		{[]store.State{store.Queued}, routeName, []string{queued}},
		{[]store.State{store.Failed}, "", nil},
		{nil, "POST /nowhere", nil},
	} {
		page := h.list(store.Query{Owner: "alice", States: c.states, Route: c.route})
		assert.Equal(h, c.want, names(page.Jobs), "%v %q", c.states, c.route)
		assert.Empty(h, page.Next)
	}
}

func listPages(h *harness) {
	created := h.fill(6)
	for _, limit := range []int{1, 2, 3, 4, 6, 7} {
		assert.Equal(h, created, h.walk(store.Query{Owner: "alice", Limit: limit}), "pages of %d", limit)
	}
	assert.Empty(h, h.list(store.Query{Owner: "alice", Limit: 6}).Next, "a full page can be the last")
	assert.Len(h, h.list(store.Query{Owner: "alice", Limit: 4}).Jobs, 4)
}

func listFilteredPages(h *harness) {
	var kept []string
	for i := range 8 {
		j := h.create()
		if i%3 == 0 {
			h.cancel(j.ID)
		} else {
			kept = append(kept, j.ID)
		}
	}
	slices.Reverse(kept)
	assert.Equal(h, kept, h.walk(store.Query{Owner: "alice", States: []store.State{store.Queued}, Limit: 2}))
}

func listStable(h *harness) {
	created := h.fill(6)
	query := store.Query{Owner: "alice", Limit: 2}
	first := h.list(query)
	require.Equal(h, created[:2], names(first.Jobs))
	h.fill(3)
	query.Cursor = first.Next
	assert.Equal(h, created[2:4], names(h.list(query).Jobs))
	assert.Equal(h, created[2:4], names(h.list(query).Jobs), "a cursor can be used again")
	// The last job of the first page and the first of the second are removed.
	for _, id := range created[1:3] {
		h.cancel(id)
		require.NoError(h, h.store.Delete(h.ctx(), id))
	}
	assert.Equal(h, created[3:], h.walk(query))
}

func listLimits(h *harness) {
	h.fill(53)
	assert.Len(h, h.list(store.Query{Owner: "alice"}).Jobs, 50)
	assert.Len(h, h.list(store.Query{Owner: "alice", Limit: 52}).Jobs, 52)
	assert.Len(h, h.list(store.Query{Owner: "alice", Limit: 1 << 20}).Jobs, 53)
}

func listBadCursor(h *harness) {
	h.fill(3)
	h.fill(3, ownedBy("bob"))
	query := store.Query{Owner: "alice", Route: routeName, States: []store.State{store.Queued, store.Failed}, Limit: 1}
	cursor := h.list(query).Next
	require.NotEmpty(h, cursor)

	swapped := query
	swapped.Cursor = cursor
	swapped.States = []store.State{store.Failed, store.Queued}
	assert.Len(h, h.list(swapped).Jobs, 1, "the order of states does not matter")

	for name, change := range map[string]func(*store.Query){
		"another owner":  func(q *store.Query) { q.Owner = "bob" },
		"another route":  func(q *store.Query) { q.Route = "" },
		"other states":   func(q *store.Query) { q.States = q.States[:1] },
		"a cut cursor":   func(q *store.Query) { q.Cursor = cursor[:len(cursor)-1] },
		"garbage":        func(q *store.Query) { q.Cursor = "garbage" },
		"garbage of 8":   func(q *store.Query) { q.Cursor = "\x00\xff../*{}" },
		"a made-up one":  func(q *store.Query) { q.Cursor = store.NewCursor(*q, "somewhere") },
		"an empty place": func(q *store.Query) { q.Cursor = store.NewCursor(*q, "") },
	} {
		other := query
		other.Cursor = cursor
		change(&other)
		_, err := h.store.List(h.ctx(), other)
		assert.ErrorIs(h, err, store.ErrBadCursor, name)
	}
}
