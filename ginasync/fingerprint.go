package ginasync

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"net/http"
	"net/url"

	"github.com/asyncendpoints/gin-async/store"
)

// reserve gives a job the idempotency key that its request came with. What the store gets
// are digests: of the key in its scope, which is the owner and the route, and of the
// request. The key is in the second one too, so that a guess at what the request was
// cannot be tried out by whoever reads the store and does not know the key.
func reserve(job *store.NewJob, key string, r *http.Request, body []byte) {
	scope := newDigest("key")
	scope.add(job.Owner, job.Route, key)
	job.Key = scope.text()
	job.Fingerprint = fingerprint(key, r, body)
}

// fingerprint tells requests with one key apart: by method, path, query, content type
// and body, and not by other headers, for a repeated request has another date or trace.
// The order of different query parameters means nothing, and neither does the boundary
// of a multipart body, which clients draw anew each time.
func fingerprint(key string, r *http.Request, body []byte) string {
	d := newDigest("request")
	d.add(key, r.Method, r.URL.EscapedPath(), canonicalQuery(r.URL.RawQuery))
	contentType := r.Header.Get("Content-Type")
	if media, parts, ok := digestParts(contentType, body); ok {
		d.add("parts", media, parts)
	} else {
		d.add("body", contentType)
		d.addBytes(body)
	}
	return d.text()
}

// canonicalQuery sorts the parameters by name; those of one name keep their order. A
// query that cannot be read stays as it is.
func canonicalQuery(raw string) string {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return raw
	}
	return values.Encode()
}

// digest is a SHA-256 of several texts, each with its length before it, so that the end
// of one cannot pass for the beginning of the next.
type digest struct{ hash hash.Hash }

// newDigest begins with what the digest is of: no digest of one thing is one of another.
func newDigest(of string) digest {
	d := digest{sha256.New()}
	d.add(of)
	return d
}

func (d digest) add(texts ...string) {
	for _, text := range texts {
		d.addBytes([]byte(text))
	}
}

func (d digest) addBytes(data []byte) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(data)))
	_, _ = d.hash.Write(length[:]) // a hash returns no error
	_, _ = d.hash.Write(data)
}

func (d digest) sum() string { return string(d.hash.Sum(nil)) }

// text is 192 bits of the digest: nobody finds two texts that agree in them.
func (d digest) text() string {
	return base64.RawURLEncoding.EncodeToString(d.hash.Sum(nil)[:24])
}
