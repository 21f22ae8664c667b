// Package site runs a contestant, or an HTTP client, in a process of its own: this program
// starts itself again and talks to the child over a pair of sockets. What a child uses of
// the processor is its contestant's alone, and when one is killed it is a worker that died.
package site
