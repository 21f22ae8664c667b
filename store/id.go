package store

import (
	"crypto/rand"
	"encoding/base32"
)

const (
	// idBytes is the number of random bytes in an id: 128 bits.
	idBytes = 16
	// IDLen is the length of an id: one character for the partition and 26 for the
	// random bytes.
	IDLen = 1 + 26
)

const idAlphabet = "abcdefghijklmnopqrstuvwxyz234567"

var idEncoding = base32.NewEncoding(idAlphabet).WithPadding(base32.NoPadding)

// NewID draws an id: the character of the partition (a letter a–z or a digit
// 2–7), then 128 bits from crypto/rand in lower-case base32. Who knows an id has
// seen it; it cannot be guessed. It is safe for concurrent use.
func NewID(partition byte) string {
	var bits [idBytes]byte
	// crypto/rand.Read never returns an error: it crashes the program instead.
	_, _ = rand.Read(bits[:])
	return encodeID(partition, bits[:])
}

// IDSource draws ids as NewID does, each from 128 bits of crypto/rand that
// nothing else was made from, but reads them in blocks, which is cheaper for many
// ids. The zero value is ready. It is not safe for concurrent use, and must not
// be copied once used: the copy would draw the same ids.
type IDSource struct {
	block  [64 * idBytes]byte
	unused int // bytes at the end of block
}

// New draws an id in the partition.
func (s *IDSource) New(partition byte) string {
	if s.unused == 0 {
		_, _ = rand.Read(s.block[:])
		s.unused = len(s.block)
	}
	bits := s.block[len(s.block)-s.unused:][:idBytes]
	s.unused -= idBytes
	id := encodeID(partition, bits)
	clear(bits)
	return id
}

func encodeID(partition byte, bits []byte) string {
	var id [IDLen]byte
	id[0] = partition
	idEncoding.Encode(id[1:], bits)
	return string(id[:])
}

// ValidID reports whether id has the form of NewID's. No store holds a job of
// another form, so there is no need to ask one.
func ValidID(id string) bool {
	if len(id) != IDLen {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}
