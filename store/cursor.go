package store

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// cursorVersion is the first byte of a cursor; it changes with the form.
const cursorVersion = 1

// cursorHead is the length of what stands before the position: the version and
// the digest of the query.
const cursorHead = 1 + 16

// cursorEncoding refuses stray bits at the end, so that a cursor has one spelling.
var cursorEncoding = base64.RawURLEncoding.Strict()

// NewCursor makes the cursor that continues query after position. Position is
// the store's own text and may be empty; the limit and the cursor of query do
// not matter, nor does the order of its states. The text is base64url.
//
// The cursor is bound to the query, not signed: whoever knows this package can
// make one with any position. A store must take a position for what it is, a
// place in the jobs of that owner, and refuse one that it could not have made
// with ErrBadCursor.
func NewCursor(query Query, position string) string {
	raw := make([]byte, 0, cursorHead+len(position))
	raw = append(raw, cursorVersion)
	raw = append(raw, query.digest()...)
	raw = append(raw, position...)
	return cursorEncoding.EncodeToString(raw)
}

// OpenCursor returns the position in query.Cursor. Errors: ErrBadCursor, when
// NewCursor did not make it or made it for another owner or filter; an empty
// cursor has no position and is refused too.
func OpenCursor(query Query) (position string, err error) {
	raw, err := cursorEncoding.DecodeString(query.Cursor)
	if err != nil || len(raw) < cursorHead || raw[0] != cursorVersion {
		return "", ErrBadCursor
	}
	if string(raw[1:cursorHead]) != string(query.digest()) {
		return "", ErrBadCursor
	}
	// The decoder skips line breaks; a cursor has none.
	if cursorEncoding.EncodedLen(len(raw)) != len(query.Cursor) {
		return "", ErrBadCursor
	}
	return string(raw[cursorHead:]), nil
}

// digest stands for the owner and the filter of a query. Each part carries its
// length: otherwise two queries could run together into the same bytes.
func (q Query) digest() []byte {
	states := slices.Clone(q.States)
	slices.Sort(states)
	states = slices.Compact(states)

	text := appendPart(nil, q.Owner)
	text = appendPart(text, q.Route)
	for _, state := range states {
		text = appendPart(text, string(state))
	}
	sum := sha256.Sum256(text)
	return sum[:cursorHead-1]
}

func appendPart(text []byte, part string) []byte {
	text = binary.AppendUvarint(text, uint64(len(part)))
	return append(text, part...)
}
