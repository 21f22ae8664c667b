package contestant

import (
	"bytes"
	"fmt"
	"strconv"
)

// What goes in and what is kept, in bytes.
const (
	BodySize   = 512
	ResultSize = 128
	serialSize = 16
)

// Body returns the body of a submission. It begins with its serial number, the rest is
// filling.
func Body(serial int64) []byte {
	body := make([]byte, BodySize)
	for i := serialSize - 1; i >= 0; i-- {
		body[i] = byte('0' + serial%10)
		serial /= 10
	}
	for i := serialSize; i < BodySize; i++ {
		body[i] = 'x'
	}
	return body
}

// Serial reads the serial number of a body.
func Serial(body []byte) (int64, error) {
	if len(body) != BodySize {
		return 0, fmt.Errorf("a body of %d bytes arrived at the worker, not of %d", len(body), BodySize)
	}
	return strconv.ParseInt(string(body[:serialSize]), 10, 64)
}

// Result returns what a job leaves behind.
func Result() []byte { return bytes.Repeat([]byte{'r'}, ResultSize) }
