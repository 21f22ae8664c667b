package main

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// keyBytes is how long a key is.
const keyBytes = 32

// parseKeys reads keys in base64, separated by commas. Its errors do not repeat them.
func parseKeys(list string) ([][]byte, error) {
	if list == "" {
		return nil, nil
	}
	texts := strings.Split(list, ",")
	keys := make([][]byte, len(texts))
	for i, text := range texts {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("key %d of %d is not base64: make one with openssl rand -base64 32", i+1, len(texts))
		}
		if len(key) != keyBytes {
			return nil, fmt.Errorf("key %d of %d has %d bytes and must have %d: make one with openssl rand -base64 32",
				i+1, len(texts), len(key), keyBytes)
		}
		keys[i] = key
	}
	return keys, nil
}
