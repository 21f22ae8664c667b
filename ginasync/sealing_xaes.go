package ginasync

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

const (
	xaesKeySize   = 32
	xaesNonceSize = 24
	xaesTagSize   = 16
)

// xaesKey is a key of XAES-256-GCM (c2sp.org/XAES-256-GCM): AES-256-GCM, each message
// under a key of its own that is derived from the first half of its nonce.
//
// Plain AES-GCM allows some 2³² messages with random nonces of 12 bytes, which a busy
// service stores within a day. Nonces of 24 bytes can be drawn at random for ever.
type xaesKey struct {
	block cipher.Block
	mask  [aes.BlockSize]byte // CMAC's subkey K1
}

// newXAESKey returns an error when key has not 32 bytes, and when a setting of the
// crypto packages forbids to use it.
func newXAESKey(key []byte) (xaesKey, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return xaesKey{}, err
	}
	x := xaesKey{block: block}
	block.Encrypt(x.mask[:], x.mask[:])
	carry := byte(0)
	for i := len(x.mask) - 1; i >= 0; i-- {
		carry, x.mask[i] = x.mask[i]>>7, x.mask[i]<<1|carry
	}
	x.mask[len(x.mask)-1] ^= carry * 0x87
	_, err = x.aead(make([]byte, xaesNonceSize))
	return x, err
}

// aead returns the AEAD of the message with that nonce, and expects the second half of
// it as its own. It fails for every nonce or for none.
func (x *xaesKey) aead(nonce []byte) (cipher.AEAD, error) {
	var key [xaesKeySize]byte
	for i := range len(key) / aes.BlockSize {
		half := key[i*aes.BlockSize:][:aes.BlockSize]
		copy(half, []byte{0, byte(i + 1), 'X', 0})
		copy(half[4:], nonce[:xaesNonceSize/2])
		subtle.XORBytes(half, half, x.mask[:])
		x.block.Encrypt(half, half)
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
