package store

import (
	"crypto/rand"
	"encoding/base32"
)

// idLen is one character for the partition and 26 for 128 bits.
const idLen = 1 + 26

const idAlphabet = "abcdefghijklmnopqrstuvwxyz234567"

var idEncoding = base32.NewEncoding(idAlphabet).WithPadding(base32.NoPadding)

// NewID draws an id: the character of the partition (a letter a–z or a digit
// 2–7), then 128 bits from crypto/rand in lower-case base32. Who knows an id has
// seen it; it cannot be guessed.
func NewID(partition byte) string {
	var bits [16]byte
	// crypto/rand.Read never returns an error: it crashes the program instead.
	_, _ = rand.Read(bits[:])
	var id [idLen]byte
	id[0] = partition
	idEncoding.Encode(id[1:], bits[:])
	return string(id[:])
}

// ValidID reports whether id has the form of NewID's. No store holds a job of
// another form, so there is no need to ask one.
func ValidID(id string) bool {
	if len(id) != idLen {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}
