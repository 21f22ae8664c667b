package main

import (
	"bytes"
	"context"
	"image/png"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadmeTranscripts pastes the curl commands of the READMEs into a shell, with
// another port than theirs.
func TestReadmeTranscripts(t *testing.T) {
	needShell(t)
	a := startApp(t, buildApp(t))
	for _, readme := range []string{"../../README.md", "README.md"} {
		t.Run(readme, func(t *testing.T) {
			dir := repositoryCopy(t)
			script := blocks(t, readme, "sh", "localhost:8080")
			out := paste(t, dir, strings.ReplaceAll(script, "localhost:8080", strings.TrimPrefix(a.url, "http://")))
			assert.Contains(t, out, "HTTP/1.1 202 Accepted")
			assert.Contains(t, out, "AsyncResult: 200")
			assert.Contains(t, out, "Content-Type: image/png")

			file, err := os.ReadFile(filepath.Join(dir, "thumbnail.png"))
			require.NoError(t, err)
			thumbnail, err := png.DecodeConfig(bytes.NewReader(file))
			require.NoError(t, err)
			assert.Equal(t, 64, thumbnail.Width)
		})
	}
}

// TestReadmeOwners pastes the commands that show whose jobs are whose.
func TestReadmeOwners(t *testing.T) {
	needShell(t)
	script := blocks(t, "README.md", "sh", "-owner-header X-User")
	require.Contains(t, script, "8090")
	t.Setenv("TMPDIR", t.TempDir())
	out := paste(t, "../..", strings.ReplaceAll(script, "8090", freePort(t)))
	assert.Contains(t, out, `{"jobs":[{"id":"`)
	assert.Contains(t, out, "\n404\n")
}

// TestReadmeManyProcesses pastes the commands that run two processes on one Redis, with
// other ports than theirs, in the top folder: they write into a folder of their own.
func TestReadmeManyProcesses(t *testing.T) {
	needShell(t)
	_, err := exec.LookPath("redis-server")
	require.NoError(t, err, "the README takes it from the PATH, as its readers do")
	script := blocks(t, "../../README.md", "sh", "redis-server --port")
	for _, port := range []string{"6380", "8081", "8082"} {
		require.Contains(t, script, port)
		script = strings.ReplaceAll(script, port, freePort(t))
	}
	t.Setenv("TMPDIR", t.TempDir())
	out := paste(t, "../..", script)
	seen := regexp.MustCompile(`"state":"(\w+)".*?"attempt":(\d+)`).FindAllString(out, -1)
	require.GreaterOrEqual(t, len(seen), 2, out)
	assert.Contains(t, seen[0], `"in_progress"`)
	assert.Contains(t, seen[0], `"attempt":1`)
	assert.Contains(t, seen[len(seen)-1], `"completed"`)
	assert.Contains(t, seen[len(seen)-1], `"attempt":2`)
	assert.Contains(t, out, "AsyncResult: 200")
	assert.Contains(t, out, "done after 6 s")
}

// TestReadmeRedisSnippet builds the lines of the README that set a Redis up.
func TestReadmeRedisSnippet(t *testing.T) {
	snippet := blocks(t, "../../README.md", "go", "redisstore.New")
	program := `package main

import (
	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store/redisstore"
	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"
)

func main() {
	r := gin.New()
` + snippet + `
	_, _ = jobs, err
}
`
	source := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(source, []byte(program), 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", os.DevNull, source).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, imported := range regexp.MustCompile(`"github.com/[^"]+"`).FindAllString(snippet, -1) {
		assert.Contains(t, program, "\t"+imported+"\n", "the snippet says what to import")
	}
}

// TestReadmeURLs reads the URLs that the README beside this shows.
func TestReadmeURLs(t *testing.T) {
	content, err := os.ReadFile("README.md")
	require.NoError(t, err)
	shown := regexp.MustCompile("`((?:redis|unix)://[^`]+)`").FindAllStringSubmatch(string(content), -1)
	require.Len(t, shown, 4)
	for _, match := range shown {
		_, err := parseRedis(match[1])
		assert.NoError(t, err, match[1])
	}
}

func needShell(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s here to paste the commands into; all else is tested without it", tool)
		}
	}
}

// paste runs commands in a shell and returns what they print. It ends what they leave
// running.
func paste(t *testing.T, dir, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euc", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\ntrap 'exit 1' TERM\n"+script)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// freePort returns a port of localhost that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

// blocks joins the code blocks of a README in a language that contain a text.
func blocks(t *testing.T, readme, language, text string) string {
	t.Helper()
	content, err := os.ReadFile(readme)
	require.NoError(t, err)
	var joined strings.Builder
	for _, block := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(content), -1) {
		if strings.Contains(block[1], text) {
			joined.WriteString(block[1])
		}
	}
	require.NotEmpty(t, joined.String(), "%s has no block with %s", readme, text)
	return joined.String()
}

// repositoryCopy is a folder with the files that the commands name, so that what
// they write does not stay.
func repositoryCopy(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	photo, err := os.ReadFile("photo.jpg")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "examples", "gin-app"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "examples", "gin-app", "photo.jpg"), photo, 0o600))
	return dir
}
