package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

const (
	secretPrefix   = "whsec_"
	shortestSecret = 24 // bytes
	longestSecret  = 64
)

var errNoBase64 = errors.New("webhook: the secret is not whsec_ and base64: make one with: echo whsec_$(openssl rand -base64 32)")

// Secret is what sender and receiver share; get it from [ParseSecret]. It does not
// show itself when it is printed or logged. It is a value and safe for concurrent use.
type Secret struct{ key string }

// ParseSecret reads a secret as Standard Webhooks writes it: whsec_, which may be
// missing, and the base64 of 24 to 64 random bytes. The error does not quote it.
func ParseSecret(text string) (Secret, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, secretPrefix))
	switch {
	case err != nil:
		return Secret{}, errNoBase64
	case len(key) < shortestSecret || len(key) > longestSecret:
		return Secret{}, fmt.Errorf("webhook: the secret has %d bytes and must have %d to %d: make one with: echo whsec_$(openssl rand -base64 32)",
			len(key), shortestSecret, longestSecret)
	}
	return Secret{string(key)}, nil
}

const hidden = "whsec_…"

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
