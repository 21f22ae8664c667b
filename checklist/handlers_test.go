package checklist_test

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
)

const plainWords = "plain words"

func words(c *gin.Context) { c.String(http.StatusOK, plainWords) }

// answers is easily taken for an answer of the library.
func answers(c *gin.Context) {
	status, _ := strconv.Atoi(c.Param("status"))
	c.Header("Location", "/elsewhere")
	c.Header("Retry-After", "7")
	c.Header("WWW-Authenticate", `Basic realm="reports"`)
	c.Data(status, "application/problem+json", []byte(`{"title":"own words"}`))
}

// refers to things by references that are relative to its route.
func refers(c *gin.Context) {
	c.Header("Location", "991")
	c.Header("Content-Location", "../status?of=991")
	c.Header("Link", `<991/pages>; rel="section", </top>; rel=top, <https://other.example/x>; rel=up`)
	c.Status(http.StatusCreated)
}

// momentary are headers that belong to the moment, the client or the connection.
func momentary() map[string]string {
	return map[string]string{
		"Set-Cookie": "session=secret", "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true",
		"Connection": "X-Hop", "X-Hop": "1", "Keep-Alive": "timeout=5", "Proxy-Authenticate": "Basic", "Te": "trailers",
		"Upgrade": "h3", "Trailer": "X-Sum", "Cdn-Cache-Control": "max-age=60", "Expires": "Fri, 01 Jan 2100 00:00:00 GMT",
		"Pragma": "x", "Age": "7",
	}
}

func headers(c *gin.Context) {
	for name, value := range momentary() {
		c.Header(name, value)
	}
	c.Header("Cache-Control", "public, max-age=60")
	c.Header("X-Kept", "yes")
	c.String(http.StatusOK, plainWords)
}

func large(c *gin.Context) { c.String(http.StatusOK, strings.Repeat("0123456789", 11)) }

// The marks that credentials and others carry; each is long enough to be nowhere by
// chance.
const (
	tokenMark  = "mark-authorization-7c1f"
	cookieMark = "mark-cookie-51ab"
	setMark    = "mark-set-cookie-0e77"
	otherMark  = "mark-header-d9e1"
)

// credentials answers what the worker is given, and a cookie.
func credentials(c *gin.Context) {
	c.SetCookie("session", setMark, 60, "/", "", true, true)
	c.Header("X-Given", strconv.FormatBool(c.GetHeader("Authorization") != ""))
	c.String(http.StatusOK, plainWords)
}

// zipping encodes answers for clients that take it, as middleware for it does.
func zipping(c *gin.Context) {
	if !strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		return
	}
	c.Header("Content-Encoding", "gzip")
	w := &zippingWriter{c.Writer, gzip.NewWriter(c.Writer)}
	c.Writer = w
	defer func() { _ = w.zip.Close() }()
	c.Next()
}

type zippingWriter struct {
	gin.ResponseWriter
	zip *gzip.Writer
}

func (w *zippingWriter) Write(p []byte) (int, error) {
	w.Header().Del("Content-Length")
	return w.zip.Write(p)
}

func (w *zippingWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }
