//go:build !linux

package redisserver

import "syscall"

// endWithParent has no such means here: Stop ends the child.
func endWithParent() *syscall.SysProcAttr { return nil }
