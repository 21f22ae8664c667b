// Package contestant holds everybody who is measured, each behind the same few methods:
// this library at three levels (with Gin, without Gin, the bare store), its peers wired up
// the way their users do it, and what bounds them all: a bare Gin route, and a loop that
// sends Redis the same commands.
//
// All of them get the same body, do the same work and keep the same result. Of options
// only the concurrency and the bound on waiting jobs differ from the defaults, and on the
// peers' side what makes them keep a result for a day.
package contestant
