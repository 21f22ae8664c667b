package redisstore

import "strings"

const (
	// letters are the names of the partitions, in this order; each begins the ids of its
	// jobs.
	letters = "abcdefghijklmnopqrstuvwxyz234567"
	// tags are the hash tags of the partitions, in the same order: the letter and a number
	// that puts the slot where the partition belongs in a Cluster. However many of them
	// are used, from the first on, of 2, 3, 4, 6, 8 or 12 masters with equal parts of the
	// slots none has more than one partition above any other.
	tags = "a b9 c27 d86 e127 f71 g2 h55 i5 j53 k19 l178 m67 n21 o112 p13 q4 r58 s15 t30 u68 v147 w258 x131 y3 z21 252 3343 48 523 6124 719"
)

// tagOf returns the hash tag of the partition with a letter.
func tagOf(letter byte) string {
	return strings.Fields(tags)[strings.IndexByte(letters, letter)]
}
