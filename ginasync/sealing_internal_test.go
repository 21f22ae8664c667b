package ginasync

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testKey is a key that looks random and is the same in each run.
func testKey(n byte) []byte {
	key := make([]byte, xaesKeySize)
	for i := range key {
		key[i] = n ^ byte(i*37)
	}
	return key
}

func testKeyring(t testing.TB, keys ...[]byte) *keyring {
	t.Helper()
	ring, err := newKeyring(keys)
	require.NoError(t, err)
	return ring
}

// requireUnreadable requires the error that belongs to stored bytes: sealed ones are
// told from malformed ones.
func requireUnreadable(t *testing.T, err error, stored ...[]byte) {
	t.Helper()
	want := errWire
	if slices.ContainsFunc(stored, isSealed) {
		want = errSealed
	}
	require.ErrorIs(t, err, want)
}

// The vectors of the specification, c2sp.org/XAES-256-GCM.
func TestXAESIsTheOneOfItsSpecification(t *testing.T) {
	const nonce = "ABCDEFGHIJKLMNOPQRSTUVWX"
	for _, v := range []struct {
		key        byte
		bond, want string
	}{
		{1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"}, // the subkey has no carry
		{3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	} {
		key, err := newXAESKey(bytes.Repeat([]byte{v.key}, xaesKeySize))
		require.NoError(t, err)
		aead, err := key.aead([]byte(nonce))
		require.NoError(t, err)
		sealed := aead.Seal(nil, []byte(nonce[xaesNonceSize/2:]), []byte("XAES-256-GCM"), []byte(v.bond))
		assert.Equal(t, v.want, hex.EncodeToString(sealed))
	}
}

func TestKeyring(t *testing.T) {
	t.Run("opens what it sealed, and leaves neither input nor length in doubt", func(t *testing.T) {
		ring := testKeyring(t, testKey(1))
		for _, size := range []int{0, 1, 16, 1000, 100_000} {
			plain := bytes.Repeat([]byte{'p'}, size)
			sealed := ring.seal([]byte("before"), plain, []byte("bond"))
			require.Equal(t, "before", string(sealed[:6]))
			require.Len(t, sealed, 6+size+sealedExtra)
			require.Equal(t, strings.Repeat("p", size), string(plain), "the plain bytes are left alone")
			opened, err := ring.open(sealed[6:], []byte("bond"))
			require.NoError(t, err)
			require.NotNil(t, opened)
			require.Equal(t, string(plain), string(opened))
		}
	})
	t.Run("seals the same bytes differently each time", func(t *testing.T) {
		ring := testKeyring(t, testKey(1))
		first, second := ring.seal(nil, []byte("plain"), nil), ring.seal(nil, []byte("plain"), nil)
		for _, part := range [][2]int{{1 + keyIDSize, sealedHead}, {sealedHead, len(first)}} {
			require.NotEqual(t, first[part[0]:part[1]], second[part[0]:part[1]])
		}
	})
	t.Run("opens nothing with another bond, key or byte", func(t *testing.T) {
		ring := testKeyring(t, testKey(1))
		sealed := func() []byte { return ring.seal(nil, []byte("plain"), []byte("bond")) }
		_, err := ring.open(sealed(), []byte("other"))
		require.ErrorIs(t, err, errSealed)
		_, err = testKeyring(t, testKey(2)).open(sealed(), []byte("bond"))
		require.ErrorIs(t, err, errSealed)
		_, err = (*keyring)(nil).open(sealed(), []byte("bond"))
		require.ErrorIs(t, err, errSealed)
		for i := range sealed() {
			changed := sealed()
			changed[i] ^= 0x80
			_, err = ring.open(changed, []byte("bond"))
			require.ErrorIs(t, err, errSealed, "byte %d", i)
			_, err = ring.open(sealed()[:i], []byte("bond"))
			require.ErrorIs(t, err, errSealed, "cut to %d", i)
		}
	})
	t.Run("seals with its first key and opens with each", func(t *testing.T) {
		before := testKeyring(t, testKey(1))
		both := testKeyring(t, testKey(2), testKey(1))
		after := testKeyring(t, testKey(2))
		opened, err := both.open(before.seal(nil, []byte("old"), nil), nil)
		require.NoError(t, err)
		require.Equal(t, "old", string(opened))
		opened, err = after.open(both.seal(nil, []byte("new"), nil), nil)
		require.NoError(t, err)
		require.Equal(t, "new", string(opened))
		_, err = before.open(both.seal(nil, []byte("new"), nil), nil)
		require.ErrorIs(t, err, errSealed)
	})
	t.Run("copies its keys", func(t *testing.T) {
		key := testKey(1)
		ring := testKeyring(t, key)
		clear(key)
		_, err := testKeyring(t, testKey(1)).open(ring.seal(nil, nil, nil), nil)
		require.NoError(t, err)
	})
	t.Run("says why it does not open", func(t *testing.T) {
		ring := testKeyring(t, testKey(1))
		sealed := ring.seal(nil, []byte("plain"), nil)
		id := hex.EncodeToString(sealed[1:][:keyIDSize])
		for want, err := range map[string]error{
			"id " + id + ", and there is no WithEncryption": (*keyring)(nil).whySealed([]byte("plain"), sealed),
			"id " + id + ", and is none of those given":     testKeyring(t, testKey(2)).whySealed(sealed),
			"of id " + id + ", is there: it is damaged":     ring.whySealed(sealed),
			"it is cut off": ring.whySealed(sealed[:sealedExtra-1]),
			"the form 7":    ring.whySealed([]byte{7}),
		} {
			require.ErrorIs(t, err, errSealed)
			require.ErrorContains(t, err, want)
		}
	})
}

func TestAKeyringRefusesKeysThatAreNone(t *testing.T) {
	zero := make([]byte, xaesKeySize)
	for want, keys := range map[string][][]byte{
		"needs a key of 32 random bytes":               nil,
		"key 1 of 1 has 0 bytes and must have 32":      {nil},
		"key 2 of 2 has 16 bytes and must have 32":     {testKey(1), testKey(1)[:16]},
		"key 1 of 1 has 44 bytes and must have 32":     {[]byte("lYN0SvRrCqA1mRZbS1lhFbHoxMvZ5mQ8t0pWn2e0o1k=")},
		"key 1 of 1 is one byte over and over":         {zero},
		"key 3 of 3 is there twice":                    {testKey(1), testKey(2), testKey(1)},
		"key 2 of 3 has 1 bytes":                       {testKey(1), zero[:1], zero},
		"key 3 of 3 is one byte over and over: draw a": {testKey(1), zero[:1], zero},
	} {
		ring, err := newKeyring(keys)
		require.ErrorContains(t, err, "WithEncryption")
		require.ErrorContains(t, err, want)
		require.Nil(t, ring)
	}
}

func TestBondsOfDifferentPartsDiffer(t *testing.T) {
	bonds := map[string][]string{}
	for _, parts := range [][]string{
		{"a"},
		{"a", ""},
		{"a", "", ""},
		{"a", "b"},
		{"ab"},
		{"a", "bc"},
		{"a", "b", "c"},
		{"a", "\x01b"},
		{"a", "b", ""},
		{"a", "", "b"},
		{strings.Repeat("a", 300)},
		{strings.Repeat("a", 128), strings.Repeat("a", 171)},
	} {
		bond := string(bondOf(parts[0], parts[1:]...))
		require.NotContains(t, bonds, bond, "%q", parts)
		bonds[bond] = parts
	}
}

// FuzzOpen: nothing makes the opener panic, and what the key did not seal for this bond
// does not open.
func FuzzOpen(f *testing.F) {
	ring := testKeyring(f, testKey(1))
	f.Add([]byte{})
	f.Add([]byte("POST / HTTP/1.1\r\n\r\n"))
	f.Add(ring.seal(nil, []byte("plain"), []byte("another bond")))
	f.Add(testKeyring(f, testKey(2)).seal(nil, []byte("plain"), []byte("bond")))
	f.Add(ring.seal(nil, nil, []byte("another bond"))[:sealedExtra-1])
	f.Fuzz(func(t *testing.T, data []byte) {
		head := slices.Clone(data[:min(len(data), sealedHead)])
		_, err := ring.open(data, []byte("bond"))
		require.ErrorIs(t, err, errSealed)
		require.True(t, bytes.HasPrefix(data, head), "the head is left alone")
		require.ErrorIs(t, ring.whySealed(data), errSealed)
	})
}

func BenchmarkSeal(b *testing.B) {
	ring := testKeyring(b, testKey(1))
	plain, bond := make([]byte, 1024), []byte("bond")
	b.SetBytes(int64(len(plain)))
	b.ReportAllocs()
	for b.Loop() {
		ring.seal(make([]byte, 0, len(plain)+sealedExtra), plain, bond)
	}
}

func BenchmarkOpen(b *testing.B) {
	ring := testKeyring(b, testKey(1))
	bond := []byte("bond")
	sealed := ring.seal(nil, make([]byte, 1024), bond)
	work := make([]byte, len(sealed))
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		copy(work, sealed)
		if _, err := ring.open(work, bond); err != nil {
			b.Fatal(err)
		}
	}
}
