package site

import (
	"context"
	"fmt"
	"net"
	"net/rpc"
	"os"

	"github.com/gin-gonic/gin"
)

const (
	// childMark is set in the environment of a child.
	childMark = "GINASYNC_BENCH_SITE"
	// childSocket is the number of its end of the pair of sockets.
	childSocket = 3
	serviceName = "Site"
)

// IsChild reports whether this process was started as a site.
func IsChild() bool { return os.Getenv(childMark) != "" }

// Serve does what the parent asks for, until the parent closes its end or ends.
func Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	gin.SetMode(gin.ReleaseMode)
	file := os.NewFile(childSocket, "parent")
	conn, err := net.FileConn(file)
	if err != nil {
		return fmt.Errorf("the socket to the parent: %w", err)
	}
	server := rpc.NewServer()
	if err := server.RegisterName(serviceName, &Service{life: ctx}); err != nil {
		return err
	}
	server.ServeConn(conn)
	return nil
}
