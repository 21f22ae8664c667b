package redistest_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/internal/redistest"
)

const doomed = "REDISTEST_DOOMED"

// TestDoomed is what the process runs that TestAKilledTestLeavesNoServer kills.
func TestDoomed(t *testing.T) {
	if os.Getenv(doomed) == "" {
		return
	}
	fmt.Printf("server %s\n", redistest.Start(t).Addr())
	<-t.Context().Done()
}

func TestAKilledTestLeavesNoServer(t *testing.T) {
	t.Parallel()
	command := exec.Command(os.Args[0], "-test.run=^TestDoomed$")
	command.Env = append(os.Environ(), doomed+"=1", "TMPDIR="+t.TempDir())
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	var addr string
	for lines := bufio.NewScanner(output); addr == "" && lines.Scan(); {
		addr = strings.TrimPrefix(lines.Text(), "server ")
	}
	listened := dialable(addr)
	require.NoError(t, command.Process.Kill())
	require.Error(t, command.Wait())
	assert.True(t, listened, "there was a server at %q", addr)
	assert.Eventually(t, func() bool { return !dialable(addr) }, 10*time.Second, 5*time.Millisecond)
}
