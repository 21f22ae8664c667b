package client_test

import (
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goClient is the section of the README that is about this package.
func goClient(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(readme), "\n## Go client\n")
	require.True(t, found)
	section, _, _ := strings.Cut(after, "\n## ")
	return section
}

// TestReadmeProgram builds the program of the README and runs it against a service.
func TestReadmeProgram(t *testing.T) {
	program := regexp.MustCompile("(?s)```go\n(package main\n.*?)```").FindStringSubmatch(goClient(t))
	require.NotNil(t, program)
	formatted, err := format.Source([]byte(program[1]))
	require.NoError(t, err)
	assert.Equal(t, string(formatted), program[1], "gofmt has nothing to change")

	s := newService(t, func(r *gin.Engine) {
		r.POST("/reports/:year", ginasync.Async(func(c *gin.Context) {
			c.JSON(http.StatusOK, gin.H{"year": c.Param("year"), "pages": 12})
		}))
	})
	code := strings.Replace(program[1], "http://127.0.0.1:8080", s.url, 1)
	require.Contains(t, code, s.url)
	source := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(source, []byte(code), 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "run", source).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "200 OK, AsyncResult: 200, {\"pages\":12,\"year\":\"2026\"}, <nil>\n", string(out))
}

func TestReadmeNamesEveryOption(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "options.go", nil, 0)
	require.NoError(t, err)
	var names []string
	for _, decl := range file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.IsExported() {
			names = append(names, fn.Name.Name)
			assert.Contains(t, goClient(t), "| `"+fn.Name.Name+"` |")
		}
	}
	assert.Len(t, names, 5)
}

// TestThePackageLinksNoServer holds what a client program would link against what it is for.
func TestThePackageLinksNoServer(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	require.NoError(t, err)
	assert.Equal(t, "github.com/asyncendpoints/gin-async/ginasync/client\n", string(out))
}
