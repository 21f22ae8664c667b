package main

import (
	"bytes"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadmeTranscripts pastes the curl commands of the READMEs into a shell, with
// another port than theirs.
func TestReadmeTranscripts(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s here to paste the commands into; all else is tested without it", tool)
		}
	}
	a := startApp(t, buildApp(t))
	for _, readme := range []string{"../../README.md", "README.md"} {
		t.Run(readme, func(t *testing.T) {
			dir := repositoryCopy(t)
			script := curlCommands(t, readme)
			require.Contains(t, script, "localhost:8080")
			script = strings.ReplaceAll(script, "localhost:8080", strings.TrimPrefix(a.url, "http://"))
			cmd := exec.CommandContext(t.Context(), "bash", "-euc", script)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Contains(t, string(out), "HTTP/1.1 202 Accepted")
			assert.Contains(t, string(out), "AsyncResult: 200")
			assert.Contains(t, string(out), "Content-Type: image/png")

			file, err := os.ReadFile(filepath.Join(dir, "thumbnail.png"))
			require.NoError(t, err)
			thumbnail, err := png.DecodeConfig(bytes.NewReader(file))
			require.NoError(t, err)
			assert.Equal(t, 64, thumbnail.Width)
		})
	}
}

// curlCommands joins the shell blocks of a README that use curl.
func curlCommands(t *testing.T, readme string) string {
	t.Helper()
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	var script strings.Builder
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(block[1], "curl") {
			script.WriteString(block[1])
		}
	}
	return script.String()
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
