package redisserver

import (
	"context"
	"os/exec"
	"runtime"
)

// process is a child process that ends with this one.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
}

// launch starts a program, which the end of ctx does not end. The thread that does so waits for it: where the system can
// end a child with its parent, it does so when the parent's thread ends.
func launch(ctx context.Context, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(context.WithoutCancel(ctx), program, args...), ended: make(chan struct{})}
	p.cmd.SysProcAttr = endWithParent()
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // it is killed in the end: how it ended says nothing
		}
		close(p.ended)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// kill ends the process and waits for it. One that has ended stays so.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}
