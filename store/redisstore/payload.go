package redisstore

import (
	"encoding/binary"
	"errors"
	"strings"
)

var errPayload = errors.New("redisstore: a stored request is damaged")

// payloadSize is how long a payload is at most.
func payloadSize(request, envelope []byte) int {
	return binary.MaxVarintLen64 + len(request) + len(envelope)
}

// writePayload puts a request and its envelope into one value.
func writePayload(dst *strings.Builder, request, envelope []byte) {
	var length [binary.MaxVarintLen64]byte
	dst.Write(binary.AppendUvarint(length[:0], uint64(len(request))))
	dst.Write(request)
	dst.Write(envelope)
}

// splitPayload takes apart what writePayload made. The parts share its memory, and
// neither can grow into the other.
func splitPayload(payload []byte) (request, envelope []byte, err error) {
	length, n := binary.Uvarint(payload)
	if n <= 0 || length > uint64(len(payload)-n) {
		return nil, nil, errPayload
	}
	end := n + int(length)
	return payload[n:end:end], payload[end:], nil
}
