package webhook

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tolerance is how far the sender's clock may be from ours, either way, and how old a
// message may be: longer, and somebody may have kept it to send it again.
const tolerance = 5 * time.Minute

var (
	// ErrHeaders says that a header of the message is missing or makes no sense.
	ErrHeaders = errors.New("webhook: the headers webhook-id, webhook-timestamp and webhook-signature are not all there")
	// ErrTime says that the message was sent more than five minutes ago, or will be.
	ErrTime = errors.New("webhook: the message is older than five minutes, or from the future")
	// ErrSignature says that no signature is right for any of the secrets.
	ErrSignature = errors.New("webhook: no signature matches")
)

// Verify returns nil when the message was signed with one of secrets in the last five
// minutes. The body must be the bytes that came, not JSON that was read and written
// again. It takes the same time whatever part of a signature is wrong. Errors:
// [ErrHeaders], [ErrTime], [ErrSignature]; answer 400 then. It does not know which messages
// came before: see [ID].
func Verify(header http.Header, body []byte, secrets ...Secret) error {
	id, timestamp := header.Get(headerID), header.Get(headerTimestamp)
	sent, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" || header.Get(headerSignature) == "" {
		return ErrHeaders
	}
	if age := time.Since(time.Unix(sent, 0)); age > tolerance || age < -tolerance {
		return ErrTime
	}
	for _, secret := range secrets {
		if secret.key != "" && signed(header.Get(headerSignature), secret.sum(id, timestamp, body)) {
			return nil
		}
	}
	return ErrSignature
}

// signed reports whether one of the signatures in a header is sum.
func signed(signatures string, sum []byte) bool {
	found := false
	for one := range strings.FieldsSeq(signatures) {
		scheme, text, _ := strings.Cut(one, ",")
		if scheme != version {
			continue
		}
		if given, err := base64.StdEncoding.DecodeString(text); err == nil && hmac.Equal(given, sum) {
			found = true
		}
	}
	return found
}
