package ginasync_test

import (
	"go/ast"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scriptsNeedNot are headers of answers that tell a browser or a cache what to do.
var scriptsNeedNot = []string{
	"Connection", "Referrer-Policy", "Vary", "X-Accel-Buffering", "X-Content-Type-Options",
}

// safelisted are those that every script may read.
var safelisted = []string{
	"Cache-Control", "Content-Language", "Content-Length", "Content-Type", "Expires", "Last-Modified", "Pragma",
}

func TestScriptsOfOtherOriginsMayReadEveryHeaderThereIs(t *testing.T) {
	exposed := ginasync.ExposeHeaders()
	var written []string
	for _, file := range parseDir(t, ".") {
		written = append(written, headersWritten(file)...)
	}
	require.Subset(t, written, []string{"Location", "Retry-After", "Preference-Applied", "Link", "ETag", "Content-Range", "Accept-Ranges"},
		"the code is understood")
	for _, name := range written {
		if name[0] < 'A' || name[0] > 'Z' { // a member of a JSON object
			continue
		}
		if !slices.Contains(safelisted, name) && !slices.Contains(scriptsNeedNot, name) {
			assert.Contains(t, exposed, name)
		}
	}
	exposed[0] = "changed"
	assert.NotEqual(t, exposed, ginasync.ExposeHeaders(), "it is the caller's")
}

// headersWritten finds c.Header("name", …), ….Header().Set("name", …), Add alike, the same
// of a variable named to or h, and header["name"] = ….
func headersWritten(file *ast.File) []string {
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if fn, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) == 2 && writesHeader(fn) {
				names = append(names, literal(n.Args[0])...)
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if index, ok := left.(*ast.IndexExpr); ok {
					names = append(names, literal(index.Index)...)
				}
			}
		}
		return true
	})
	return names
}

func writesHeader(fn *ast.SelectorExpr) bool {
	switch fn.Sel.Name {
	case "Header":
		return true
	case "Set", "Add":
		switch receiver := fn.X.(type) {
		case *ast.CallExpr:
			method, ok := receiver.Fun.(*ast.SelectorExpr)
			return ok && method.Sel.Name == "Header"
		case *ast.Ident:
			return receiver.Name == "to" || receiver.Name == "h"
		}
	}
	return false
}

// crossOrigin is what a CORS middleware does.
func crossOrigin(c *gin.Context) {
	c.Writer.Header().Add("Vary", "Origin")
	c.Header("Access-Control-Allow-Origin", "https://app.example.com")
	if c.Request.Method == http.MethodOptions && c.GetHeader("Access-Control-Request-Method") != "" {
		c.Header("Access-Control-Allow-Methods", strings.Join(ginasync.AllowMethods(), ","))
		c.Header("Access-Control-Allow-Headers", strings.Join(ginasync.AllowHeaders(), ","))
		c.AbortWithStatus(http.StatusNoContent)
		return
	}
	c.Header("Access-Control-Expose-Headers", strings.Join(ginasync.ExposeHeaders(), ","))
}

func TestAScriptOfAnotherOriginCanUseJobs(t *testing.T) {
	a := newApp(t, func(r *gin.Engine) {
		r.Use(crossOrigin)
		r.POST("/x", ginasync.Async(text("0123456789")))
		r.Any("/any", ginasync.Async(text("")))
	})
	// script sends a request as a browser does for a script: first the preflight.
	script := func(method, path string, header ...string) answer {
		t.Helper()
		preflight := a.do(http.MethodOptions, path, nil, "Origin", "https://app.example.com", "Access-Control-Request-Method", method)
		require.Equal(t, http.StatusNoContent, preflight.StatusCode)
		require.Contains(t, strings.Split(preflight.Header.Get("Access-Control-Allow-Methods"), ","), method)
		for i := 0; i < len(header); i += 2 {
			require.Contains(t, strings.Split(preflight.Header.Get("Access-Control-Allow-Headers"), ","), header[i])
		}
		got := a.do(method, path, nil, append(header, "Origin", "https://app.example.com")...)
		require.Equal(t, []string{"https://app.example.com"}, got.Header["Access-Control-Allow-Origin"])
		exposed := strings.Split(got.Header.Get("Access-Control-Expose-Headers"), ",")
		for name := range got.Header { // all but its safelist is hidden from the script
			if !slices.Contains(safelisted, name) && !slices.ContainsFunc(exposed, func(s string) bool { return strings.EqualFold(s, name) }) {
				got.Header.Del(name)
			}
		}
		return got
	}
	preflight := a.do(http.MethodOptions, "/any", nil, "Origin", "https://app.example.com", "Access-Control-Request-Method", "POST")
	assert.Equal(t, http.StatusNoContent, preflight.StatusCode)
	assertNoJobs(t, a)

	accepted := script(http.MethodPost, "/x", "Content-Type", "application/json", "Prefer", "respond-async")
	require.Equal(t, http.StatusAccepted, accepted.StatusCode)
	assert.NotEmpty(t, accepted.Header.Get("Retry-After"))
	assert.Equal(t, "respond-async", accepted.Header.Get("Preference-Applied"))
	job := accepted.Header.Get("Location")
	done := script(http.MethodGet, job, "Prefer", "wait=30")
	assert.True(t, done.status(t).Done)
	assert.Equal(t, http.StatusNotModified, script(http.MethodGet, job, "If-None-Match", done.Header.Get("ETag")).StatusCode)
	result := script(http.MethodGet, job+"/result", "Range", "bytes=0-3")
	assert.Equal(t, "200", result.Header.Get("AsyncResult"))
	assert.Equal(t, "bytes 0-3/10", result.Header.Get("Content-Range"))
	assert.Equal(t, http.StatusNoContent, script(http.MethodGet, job+"/events", "Last-Event-ID", "999").StatusCode)
	assert.Equal(t, http.StatusConflict, script(http.MethodPost, job+"/retry").StatusCode)
	assert.Equal(t, http.StatusNoContent, script(http.MethodDelete, job).StatusCode)
}
