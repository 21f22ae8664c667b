package redisstore

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const clusterSlots = 16384

func TestTags(t *testing.T) {
	t.Run("the slots are those of the specification", func(t *testing.T) {
		require.Equal(t, 0x31C3, int(crc16("123456789")))
	})
	t.Run("each begins with its letter", func(t *testing.T) {
		for i := range len(letters) {
			assert.Equal(t, letters[i], tagOf(letters[i])[0])
		}
	})
	for _, masters := range []int{2, 3, 4, 6, 8, 12} {
		t.Run(fmt.Sprint("any number of partitions is spread evenly over masters: ", masters), func(t *testing.T) {
			load := make([]int, masters)
			for i := range len(letters) {
				slot := int(crc16(tagOf(letters[i]))) % clusterSlots
				load[slot*masters/clusterSlots]++
				assert.LessOrEqual(t, slices.Max(load)-slices.Min(load), 1, "%d partitions: %v", i+1, load)
				assert.Equal(t, slot*masters/clusterSlots, (slot+50)*masters/clusterSlots, "%s is near a border", tagOf(letters[i]))
				assert.Equal(t, slot*masters/clusterSlots, (slot-50)*masters/clusterSlots, "%s is near a border", tagOf(letters[i]))
			}
		})
	}
}

// crc16 is the CRC-16/XMODEM by which a Cluster finds the slot of a hash tag.
func crc16(tag string) uint16 {
	var sum uint16
	for i := range len(tag) {
		sum ^= uint16(tag[i]) << 8
		for range 8 {
			carry := sum >> 15
			sum = sum<<1 ^ carry*0x1021
		}
	}
	return sum
}
