// Package lazyctx has contexts that cost next to nothing until somebody looks at
// their end.
//
// A context of package context has a place in its parent, and a timer if it has a
// deadline, from the moment it is made. Most contexts here are made for work that is
// over before anybody asks: a call of a store that answers from memory, a handler that
// never waits. Such a context is a few words of memory. Its first Done, or whatever
// else needs the rest, makes a context of package context behind it, which from then on
// answers for it: contexts that are derived from it cost what they cost elsewhere and
// start no goroutine, and context.Cause and context.AfterFunc work as usual.
package lazyctx
