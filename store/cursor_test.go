package store_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func TestCursor(t *testing.T) {
	query := store.Query{
		Owner: "alice", Route: "POST /reports",
		States: []store.State{store.Queued, store.Failed},
	}
	opened := func(q store.Query, cursor string) (string, error) {
		q.Cursor = cursor
		return store.OpenCursor(q)
	}

	t.Run("a cursor gives its position back", func(t *testing.T) {
		for _, position := range []string{"", "1", "m17", "\x00\xff", "a position of some length"} {
			got, err := opened(query, store.NewCursor(query, position))
			require.NoError(t, err, "%q", position)
			assert.Equal(t, position, got)
		}
	})
	t.Run("a cursor fits into a URL as it is", func(t *testing.T) {
		assert.Regexp(t, `^[A-Za-z0-9_-]+$`, store.NewCursor(query, "\xfb\xff\xfe"))
	})
	t.Run("order and repetition of states, limit and cursor do not matter", func(t *testing.T) {
		same := query
		same.States = []store.State{store.Failed, store.Queued, store.Failed}
		same.Limit = 7
		got, err := opened(same, store.NewCursor(query, "here"))
		require.NoError(t, err)
		assert.Equal(t, "here", got)
		assert.Equal(t, []store.State{store.Failed, store.Queued, store.Failed}, same.States, "the caller's states stay in order")
	})
	t.Run("a cursor of another query is refused", func(t *testing.T) {
		for name, change := range map[string]func(*store.Query){
			"owner":         func(q *store.Query) { q.Owner = "bob" },
			"no owner":      func(q *store.Query) { q.Owner = "" },
			"route":         func(q *store.Query) { q.Route = "POST /thumbnails" },
			"fewer states":  func(q *store.Query) { q.States = q.States[:1] },
			"no states":     func(q *store.Query) { q.States = nil },
			"shifted parts": func(q *store.Query) { q.Owner, q.Route = "alicePOST /", "reports" },
		} {
			other := query
			change(&other)
			_, err := opened(query, store.NewCursor(other, "here"))
			assert.ErrorIs(t, err, store.ErrBadCursor, name)
		}
	})
	t.Run("what is no cursor is refused", func(t *testing.T) {
		cursor := store.NewCursor(query, "here")
		raw, err := base64.RawURLEncoding.DecodeString(cursor)
		require.NoError(t, err)
		otherVersion := append([]byte{raw[0] + 1}, raw[1:]...)
		for name, text := range map[string]string{
			"empty":           "",
			"too short":       cursor[:10],
			"padded":          cursor + "=",
			"line breaks":     cursor[:4] + "\n" + cursor[4:],
			"another version": base64.RawURLEncoding.EncodeToString(otherVersion),
			"no base64":       "not a cursor!",
		} {
			_, err := opened(query, text)
			assert.ErrorIs(t, err, store.ErrBadCursor, name)
		}
	})
}

// An opened cursor is one that NewCursor makes for the same query, to the letter:
// there is no second spelling, and nothing else opens.
func FuzzOpenCursor(f *testing.F) {
	query := store.Query{Owner: "alice", Route: "POST /reports", States: []store.State{store.Queued}}
	f.Add("alice", "POST /reports", "queued", store.NewCursor(query, "17"))
	f.Add("", "", "", store.NewCursor(store.Query{}, ""))
	f.Add("alice", "", "queued", "")
	f.Add("a", "b", "c", "AQ==\n")
	f.Fuzz(func(t *testing.T, owner, route, state, cursor string) {
		q := store.Query{Owner: owner, Route: route, Cursor: cursor}
		if state != "" {
			q.States = []store.State{store.State(state)}
		}
		position, err := store.OpenCursor(q)
		if err != nil {
			assert.ErrorIs(t, err, store.ErrBadCursor)
			assert.Empty(t, position)
			position = cursor
		} else {
			assert.Equal(t, cursor, store.NewCursor(q, position))
		}
		q.Cursor = store.NewCursor(q, position)
		got, err := store.OpenCursor(q)
		require.NoError(t, err)
		assert.Equal(t, position, got)
	})
}
