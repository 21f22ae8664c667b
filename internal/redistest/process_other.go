//go:build !linux

package redistest

import "syscall"

// dieWithThread asks for nothing: only Linux ties a child to the life of its parent.
func dieWithThread() *syscall.SysProcAttr { return nil }

// isStopped takes the signal's word for it.
func isStopped(int) bool { return true }
