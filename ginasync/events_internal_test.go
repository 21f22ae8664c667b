package ginasync

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Whatever stands in Last-Event-ID, it is a version in digits alone, or none.
func FuzzLastEventID(f *testing.F) {
	for _, id := range []string{"", "0", "1", "01", "-1", "+1", "1_0", "x", "9223372036854775807", "9223372036854775808", "1\t", "0x1"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		version := lastEventID(http.Header{"Last-Event-Id": {id, "7"}})
		assert.GreaterOrEqual(t, version, int64(0))
		digits := id != "" && strings.Trim(id, "0123456789") == ""
		significant := strings.TrimLeft(id, "0")
		if digits && len(significant) < len("9223372036854775807") {
			assert.Equal(t, significant, strings.TrimLeft(strconv.FormatInt(version, 10), "0"))
		} else if version != 0 {
			assert.Equal(t, significant, strconv.FormatInt(version, 10))
		}
	})
}
