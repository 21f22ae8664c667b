// Package contract holds the HTTP contract against programs that others wrote: an
// OpenAPI validator, and an EventSource as browsers have it. It is a module of its own,
// so that users of gin-async do not get its dependencies.
package contract
