package main

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testKey is a key that is told from others by n.
func testKey(n byte) []byte {
	key := bytes.Repeat([]byte("gin-app's "), 4)[:keyBytes]
	key[0] = n
	return key
}

func inBase64(key []byte) string { return base64.StdEncoding.EncodeToString(key) }

func TestParseKeys(t *testing.T) {
	first, second := testKey(1), testKey(2)
	for name, test := range map[string]struct {
		list string
		want [][]byte
	}{
		"none":                        {"", nil},
		"one":                         {inBase64(first), [][]byte{first}},
		"several, in their order":     {inBase64(second) + "," + inBase64(first), [][]byte{second, first}},
		"spaces and newlines go away": {inBase64(first) + ", " + inBase64(second) + "\n", [][]byte{first, second}},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := parseKeys(test.list)
			require.NoError(t, err)
			assert.Equal(t, test.want, keys)
		})
	}
}

func TestParseKeysRefuses(t *testing.T) {
	good, short, long := inBase64(testKey(1)), inBase64(testKey(1)[:31]), inBase64(append(testKey(1), 0))
	for name, test := range map[string]struct{ list, says string }{
		"what is no base64":      {"a secret of exactly 32 characters", "key 1 of 1 is not base64"},
		"a key in hexadecimal":   {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "key 1 of 1 has 48 bytes"},
		"base64 that is cut off": {good[:len(good)-1], "key 1 of 1 is not base64"},
		"a short key":            {good + "," + short, "key 2 of 2 has 31 bytes and must have 32"},
		"a long key":             {long, "key 1 of 1 has 33 bytes and must have 32"},
		"an empty key":           {good + ",," + good, "key 2 of 3 has 0 bytes"},
		"a comma at the end":     {good + ",", "key 2 of 2 has 0 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseKeys(test.list)
			require.ErrorContains(t, err, test.says)
			assert.ErrorContains(t, err, "openssl rand -base64 32", "it says how to mend it")
			assert.NotContains(t, err.Error(), test.list, "it keeps the key for itself")
		})
	}
}
