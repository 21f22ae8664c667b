package ginasync

import "net/http"

// WithEncryption encrypts requests and results in the store with AES-256-GCM, so that
// who reads the store, its backups or the way to it does not read them. Each key is 32
// random bytes, such as those of openssl rand -base64 32; it is copied. The first key
// seals, all of them open. Default: nothing is encrypted.
//
// Sealed are the whole request, credentials included, and what travels with it (route
// parameters, client address, captured keys), the whole result, and what the status
// document quotes of them: the content type, the detail of an error and the progress
// message. To be read in the store are id, route, queue, owner, state, times, counts,
// percentages, sizes, and status code, type and title of a response or an error.
//
// All processes on a store need the keys. A worker without the key of a job fails the
// job at once, with a problem of type request-sealed; a retry by a worker that has the
// key runs it. A result that does not open is a 500 of type result-sealed. What was
// stored before there were keys stays readable. To change the key, give all processes
// the new one as the last, then as the first, and leave the old one out when the
// retention of the jobs it has sealed is over.
//
// What is sealed cannot be changed or given to a job of another route or owner without
// notice. That says nothing of jobs that are removed, repeated, or put there unsealed by
// who may write to the store.
func WithEncryption(keys ...[]byte) Option {
	return func(c *config) {
		ring, err := newKeyring(keys)
		if err != nil {
			c.mistake("%w", err)
			return
		}
		c.keys = ring
	}
}

// WithCredentialHeaders names headers that hold credentials, such as X-Api-Key, beside
// Authorization, Proxy-Authorization and Cookie. Without [WithEncryption] they never
// rest in a store that keeps jobs outside of this process: handlers do not see them in
// the worker, and results are without them; Start logs that once. A typed Req with a field
// bound to one of them is an error of Start then. A store that is local, and
// one that is encrypted, keeps them. Hand on who the user is with [CaptureKey] instead.
func WithCredentialHeaders(names ...string) Option {
	return func(c *config) {
		if len(names) == 0 {
			c.mistake("WithCredentialHeaders needs the name of a header")
		}
		for _, name := range names {
			canonical := http.CanonicalHeaderKey(name)
			switch {
			case !isToken(name):
				c.mistake("WithCredentialHeaders: %q is not the name of a header", name)
			case canonical == "Host" || canonical == "Content-Length" || canonical == "Content-Type":
				c.mistake("WithCredentialHeaders: a request cannot be stored without %s", canonical)
			}
			c.credentials[canonical] = true
		}
	}
}
