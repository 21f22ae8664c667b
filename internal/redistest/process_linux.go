package redistest

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// dieWithThread has a child killed when the thread that started it ends.
func dieWithThread() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// isStopped reports whether a process is stopped by a signal, or no more.
func isStopped(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	// The name in brackets may have brackets; the state is the first field behind it.
	_, state, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')'):], []byte(" "))
	return len(state) == 0 || bytes.IndexByte([]byte("TZX"), state[0]) >= 0
}
