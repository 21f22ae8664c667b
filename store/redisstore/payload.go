package redisstore

import (
	"encoding/binary"
	"errors"
)

var errPayload = errors.New("redisstore: a stored request is damaged")

// joinPayload puts a request and its envelope into one value.
func joinPayload(request, envelope []byte) []byte {
	payload := make([]byte, 0, binary.MaxVarintLen64+len(request)+len(envelope))
	payload = binary.AppendUvarint(payload, uint64(len(request)))
	payload = append(payload, request...)
	return append(payload, envelope...)
}

// splitPayload takes apart what joinPayload made. The parts share its memory, and
// neither can grow into the other.
func splitPayload(payload []byte) (request, envelope []byte, err error) {
	length, n := binary.Uvarint(payload)
	if n <= 0 || length > uint64(len(payload)-n) {
		return nil, nil, errPayload
	}
	end := n + int(length)
	return payload[n:end:end], payload[end:], nil
}
