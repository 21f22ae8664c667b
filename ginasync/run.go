package ginasync

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Run is the whole life of a service: it starts the Manager, serves the engine on
// addr (host:port; port 0: a free one, see the log), and on SIGINT or SIGTERM stops
// taking requests, lets those under way end within 5 s, drains the workers as
// Shutdown does, and returns nil. A second signal ends the process at once. It returns an error
// when Start or listening fails, and when jobs could not be released in the end. A
// service with a server of its own calls Start and Shutdown instead.
func (m *Manager) Run(addr string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) //nolint:forbidigo // the program's outermost context
	defer stop()
	return m.run(ctx, addr, stop)
}

// run serves until ctx is done; released is called then.
func (m *Manager) run(ctx context.Context, addr string, released func()) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	if err := m.Start(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{
		Handler:           m.engine.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	m.log.Info("listening", "addr", listener.Addr().String())

	select {
	case err = <-served: // the listener broke: drain what there is
	case <-ctx.Done():
		released() // from here a signal has its default effect
		m.log.Info("draining", "grace", m.cfg.grace)
	}
	return errors.Join(err, m.drain(context.WithoutCancel(ctx), server))
}

// requestGrace bounds how long a shutdown waits for requests under way. They are
// short: a submission reads its body and stores it.
const requestGrace = 5 * time.Second

// drain ends the requests under way and the workers, side by side: no job is claimed
// any more, and a client that sends its body slowly takes no time from the jobs.
func (m *Manager) drain(ctx context.Context, server *http.Server) error {
	requests, cancel := context.WithTimeout(ctx, min(m.cfg.grace, requestGrace))
	defer cancel()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		if err := server.Shutdown(requests); err != nil {
			m.log.Warn("requests under way are cut off", "error", err)
			_ = server.Close() // the listener is closed; nothing is left to go wrong
		}
	}()
	err := m.Shutdown(ctx)
	<-closed
	return err
}
