package ginasync

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Sealed bytes are
//
//	 1 byte   the form, 1
//	 4 bytes  the id of the key
//	24 bytes  the nonce, random
//	          the ciphertext of XAES-256-GCM
//	16 bytes  its tag
//
// The first byte tells them from what is stored unsealed: a stored request begins with
// a method, an envelope with the name of a pair, and a result with HTTP/1.1, and none
// of these with a control character. Up to 8, it is left for other forms.
const (
	sealedForm  = 1
	keyIDSize   = 4
	sealedHead  = 1 + keyIDSize + xaesNonceSize
	sealedExtra = sealedHead + xaesTagSize
	lastForm    = 8
)

// errSealed is what everything that is sealed and cannot be opened fails with.
var errSealed = errors.New("ginasync: sealed value cannot be opened")

// keyring seals and opens. A nil keyring has no keys. It is safe for concurrent use.
type keyring struct {
	keys []sealingKey // the first one seals
}

type sealingKey struct {
	id [keyIDSize]byte
	xaesKey
}

// newKeyring returns every mistake in the keys, joined.
func newKeyring(keys [][]byte) (*keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("WithEncryption needs a key of 32 random bytes; to store without encryption leave it out")
	}
	var (
		k    keyring
		errs []error
	)
	for i, key := range keys {
		if err := k.add(key); err != nil {
			errs = append(errs, fmt.Errorf("WithEncryption: key %d of %d %w", i+1, len(keys), err))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &k, nil
}

// add takes a key up, or says what it does wrong.
func (k *keyring) add(key []byte) error {
	if len(key) != xaesKeySize {
		return fmt.Errorf("has %d bytes and must have 32: draw one with openssl rand -base64 32 and decode it", len(key))
	}
	if bytes.Count(key, key[:1]) == len(key) {
		return errors.New("is one byte over and over: draw a random one with openssl rand -base64 32 and decode it")
	}
	id := keyID(key)
	if k.find(id[:]) != nil {
		return errors.New("is there twice: leave it out")
	}
	x, err := newXAESKey(key)
	if err != nil {
		return fmt.Errorf("cannot be used: %w", err)
	}
	k.keys = append(k.keys, sealingKey{id: id, xaesKey: x})
	return nil
}

// keyID names a key and says nothing about it.
func keyID(key []byte) [keyIDSize]byte {
	sum := sha256.Sum256(append([]byte("gin-async: id of a key\x00"), key...))
	return [keyIDSize]byte(sum[:keyIDSize])
}

// find returns the key with that id, or nil.
func (k *keyring) find(id []byte) *sealingKey {
	if k == nil {
		return nil
	}
	for i := range k.keys {
		if key := &k.keys[i]; string(key.id[:]) == string(id) {
			return key
		}
	}
	return nil
}

// seal appends the sealed plain bytes to dst, which must not overlap them. They open
// only with the same bond.
func (k *keyring) seal(dst, plain, bond []byte) []byte {
	key := &k.keys[0]
	start := len(dst)
	dst = append(dst, sealedForm)
	dst = append(dst, key.id[:]...)
	dst = append(dst, make([]byte, xaesNonceSize)...)
	nonce := dst[start+1+keyIDSize:]
	_, _ = rand.Read(nonce)    // it never returns an error: it crashes the program instead
	aead, _ := key.aead(nonce) // it worked when the key was taken up
	return aead.Seal(dst, nonce[xaesNonceSize/2:], plain, bond)
}

// open returns what was sealed with that bond. It works in place: the result shares
// the memory of sealed, and what does not open may be overwritten up to its head. All
// errors wrap errSealed.
func (k *keyring) open(sealed, bond []byte) ([]byte, error) {
	if len(sealed) < sealedExtra || sealed[0] != sealedForm {
		return nil, errSealed
	}
	key := k.find(sealed[1:][:keyIDSize])
	if key == nil {
		return nil, errSealed
	}
	nonce, ciphertext := sealed[1+keyIDSize:sealedHead], sealed[sealedHead:]
	aead, err := key.aead(nonce)
	if err == nil {
		ciphertext, err = aead.Open(ciphertext[:0], nonce[xaesNonceSize/2:], ciphertext, bond)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSealed, err)
	}
	return ciphertext, nil
}

// isSealed reports whether stored bytes are sealed, in whatever form.
func isSealed(data []byte) bool { return len(data) > 0 && 0 < data[0] && data[0] <= lastForm }

// whySealed says of the first sealed one of values why it does not open. The error
// wraps errSealed.
func (k *keyring) whySealed(values ...[]byte) error {
	for _, value := range values {
		if isSealed(value) {
			return fmt.Errorf("%w: %s", errSealed, k.diagnose(value))
		}
	}
	return errSealed
}

func (k *keyring) diagnose(sealed []byte) string {
	switch {
	case sealed[0] != sealedForm:
		return fmt.Sprintf("it has the form %d, which this version does not know", sealed[0])
	case len(sealed) < sealedExtra:
		return "it is cut off"
	}
	id := sealed[1:][:keyIDSize]
	switch {
	case k == nil:
		return fmt.Sprintf("its key has the id %x, and there is no WithEncryption", id)
	case k.find(id) == nil:
		return fmt.Sprintf("its key has the id %x, and is none of those given to WithEncryption", id)
	default:
		return fmt.Sprintf("its key, of id %x, is there: it is damaged, or belongs to another job", id)
	}
}

// bondOf says what sealed bytes are and what they belong to. No two lists of parts
// make the same bond.
func bondOf(kind string, parts ...string) []byte {
	size := len(kind) + binary.MaxVarintLen64
	for _, part := range parts {
		size += len(part) + binary.MaxVarintLen64
	}
	bond := appendPart(make([]byte, 0, size), kind)
	for _, part := range parts {
		bond = appendPart(bond, part)
	}
	return bond
}

func appendPart(bond []byte, part string) []byte {
	bond = binary.AppendUvarint(bond, uint64(len(part)))
	return append(bond, part...)
}
