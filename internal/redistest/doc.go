// Package redistest runs real Redis servers for tests: child processes on free ports of
// 127.0.0.1, each in a directory of its own, stopped and waited for when the test ends.
//
// [Start] is one server, [StartCluster] a Redis Cluster, [StartSentinel] a master with a
// replica under Sentinels, and [NewProxy] a network between a client and a server that
// can be cut, hung, or made to lose single commands and replies.
//
// Each needs redis-server, 6.2 or newer, in PATH or at $REDIS_SERVER, and fails the test
// without it. What cannot be done fails the test too, so nothing here returns an error.
// A function that takes a testing.TB fails it like Fatal and is therefore called by the
// goroutine that runs the test; what takes none can be called by any goroutine.
package redistest
