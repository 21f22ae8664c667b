package ginasync_test

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func readme(t *testing.T) string {
	t.Helper()
	return readTestFile(t, "../README.md")
}

// TestReadmeProgram builds the program of the README, runs it and uses it.
func TestReadmeProgram(t *testing.T) {
	program := regexp.MustCompile("(?s)```go\n(package main\n.*?)```").FindStringSubmatch(readme(t))
	require.NotNil(t, program, "the README has a program")
	assert.LessOrEqual(t, strings.Count(program[1], "\n"), 30, "it fits in 30 lines")
	formatted, err := format.Source([]byte(program[1]))
	require.NoError(t, err)
	assert.Equal(t, string(formatted), program[1], "gofmt has nothing to change")

	addr := freeAddr(t)
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	binary := filepath.Join(dir, "program")
	code := strings.Replace(program[1], "127.0.0.1:8080", addr, 1)
	require.Contains(t, code, addr)
	require.NoError(t, os.WriteFile(source, []byte(code), 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source).CombinedOutput()
	require.NoError(t, err, "%s", out)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary)
	require.NoError(t, cmd.Start())
	a := &app{t: t, url: "http://" + addr, client: &http.Client{Transport: &http.Transport{}}}
	defer a.client.CloseIdleConnections()
	require.Eventually(t, func() bool { return reachable(addr) }, patience, 10*time.Millisecond)

	accepted := a.post("/reports/2026", "")
	require.Equal(t, http.StatusAccepted, accepted.StatusCode)
	url := accepted.Header.Get("Location")
	require.Eventually(t, func() bool { return a.get(url).status(t).Done }, patience, 10*time.Millisecond)
	result := a.get(url + "/result")
	assert.JSONEq(t, `{"year":"2026","pages":12}`, string(result.body))
	assert.Equal(t, "200", result.Header.Get("AsyncResult"))

	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait(), "SIGTERM ends it with exit code 0")
}

// freeAddr returns an address nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

func reachable(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func TestReadmeNamesEveryOption(t *testing.T) {
	text := readme(t)
	options := exported(t, "Option", "RouteOption")
	require.Greater(t, len(options), 20)
	for _, name := range options {
		assert.Contains(t, text, "`"+name+"`", "the option %s is not in the README", name)
	}
}

// exported lists the exported functions of the package that return one of types.
func exported(t *testing.T, types ...string) []string {
	t.Helper()
	var names []string
	for _, file := range parseDir(t, ".") {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !fn.Name.IsExported() || fn.Type.Results == nil {
				continue
			}
			if result, ok := fn.Type.Results.List[0].Type.(*ast.Ident); ok && slices.Contains(types, result.Name) {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}

func parseDir(t *testing.T, dir string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		files = append(files, file)
	}
	return files
}

// TestReadmeNamesEveryProblem holds the anchors that problem types point to against
// the types that the code can make.
func TestReadmeNamesEveryProblem(t *testing.T) {
	var made []string
	for _, dir := range []string{".", "../worker", "../store"} {
		for _, file := range parseDir(t, dir) {
			made = append(made, problemTypes(file)...)
		}
	}
	slices.Sort(made)
	made = slices.Compact(made)
	var documented []string
	for _, match := range regexp.MustCompile(`<a id="([^"]+)">`).FindAllStringSubmatch(readme(t), -1) {
		documented = append(documented, match[1])
	}
	slices.Sort(documented)
	assert.Equal(t, made, documented)
}

// problemTypes finds newProblem("name", …) and Problem{Type: "name", …}.
func problemTypes(file *ast.File) []string {
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if fn, ok := n.Fun.(*ast.Ident); ok && fn.Name == "newProblem" {
				names = append(names, literal(n.Args[0])...)
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Type" {
				names = append(names, literal(n.Value)...)
			}
		}
		return true
	})
	return names
}

func literal(e ast.Expr) []string {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		if s, err := strconv.Unquote(lit.Value); err == nil {
			return []string{s}
		}
	}
	return nil
}

func TestReadmeShowsAStatusDocument(t *testing.T) {
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(readme(t))
	require.NotNil(t, block)
	decoder := json.NewDecoder(strings.NewReader(block[1]))
	decoder.DisallowUnknownFields()
	var status ginasync.Status
	require.NoError(t, decoder.Decode(&status))
	assert.Equal(t, store.Failed, status.State)
	assert.NotNil(t, status.Progress)
	assert.NotNil(t, status.Response)
	assert.NotNil(t, status.Error)
}

func TestReadmeDrawsTheStateMachine(t *testing.T) {
	var drawn, coded []string
	for _, match := range regexp.MustCompile(`(?m)^ +(\w+) --> (\w+)$`).FindAllStringSubmatch(readme(t), -1) {
		drawn = append(drawn, match[1]+" "+match[2])
	}
	for _, from := range store.States() {
		for _, to := range store.States() {
			if from.CanBecome(to) {
				coded = append(coded, string(from)+" "+string(to))
			}
		}
	}
	assert.ElementsMatch(t, coded, drawn)
}
