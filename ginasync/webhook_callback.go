package ginasync

import (
	"errors"
	"fmt"
	"net/http"
)

var (
	// errCallback refuses the URL that a client gave.
	errCallback = errors.New("ginasync: the callback URL is refused")

	errTwoCallbacks = errors.New("there is more than one")
)

// callbackOf returns the URL that a client wants the events of its job to be sent to;
// empty: none. Errors: errCallback, with what is wrong.
func (w *webhooks) callbackOf(header http.Header) (string, error) {
	if w == nil || w.cfg.header == "" {
		return "", nil
	}
	switch given := header.Values(w.cfg.header); len(given) {
	case 0:
		return "", nil
	case 1:
		url, err := w.cfg.hosts.Check(given[0])
		if err != nil {
			return "", fmt.Errorf("%w: %w", errCallback, err)
		}
		return url, nil
	default:
		return "", fmt.Errorf("%w: %w", errCallback, errTwoCallbacks)
	}
}

// withCallback adds a callback URL to an envelope, so that the worker knows it.
func withCallback(envelope []byte, url string) []byte {
	if url == "" {
		return envelope
	}
	return appendPair(envelope, "", pairCallback, url)
}

// callbackIn returns the callback URL in an envelope; empty: none.
func callbackIn(data []byte) string {
	e, err := decodeEnvelope(data)
	if err != nil {
		return ""
	}
	return e.callback
}
