package ginasync

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
)

// WithOpenAPI serves the document of [Manager.OpenAPI] at openapi.json in the status
// group, such as GET /jobs/openapi.json, behind the group's middleware. Title and
// version are those of the API, as the document's info shows them. Default: not served.
func WithOpenAPI(title, version string) Option {
	return func(c *config) {
		if title == "" || version == "" {
			c.mistake("WithOpenAPI needs a title and a version of the API: OpenAPI requires both")
		}
		c.openAPI = openAPIInfo{Title: title, Version: version}
	}
}

// openAPIInfo is the info object of a document.
type openAPIInfo struct {
	Title   string `json:"title"`
	Version string `json:"version"`
}

// OpenAPI returns an OpenAPI 3.1 document, as JSON, of the async routes and of the
// status routes. The request and the result of [AsyncFunc] are described as their types
// and tags are; of a Gin handler, path parameters and the 202 alone are known. Bodies
// that [WithAccepted], [WithStatus] and [WithErrorResponse] replace are described as if they
// were not. Title and version are those of [WithOpenAPI].
//
// It may be called before Start, for a file that is kept beside the code: it shows the
// routes registered so far then, and returns the mistakes that Start would. The same
// routes and options give the same bytes.
func (m *Manager) OpenAPI() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	table := m.routes.Load()
	if !m.started {
		var err error
		table, err = m.discover()
		if err = errors.Join(m.status.err, err); err != nil {
			return nil, fmt.Errorf("ginasync: %w", err)
		}
	}
	return m.describe(table)
}

// openAPIDocument is the document, in the order in which people read it.
type openAPIDocument struct {
	OpenAPI    string            `json:"openapi"`
	Info       openAPIInfo       `json:"info"`
	Servers    []object          `json:"servers,omitempty"`
	Paths      map[string]object `json:"paths"`
	Components object            `json:"components"`
}

// object is a JSON object whose members are known by the specification of OpenAPI.
type object = map[string]any

// describe makes the document of a table.
func (m *Manager) describe(table *routeTable) ([]byte, error) {
	types := newSchemas()
	d := openAPIDocument{
		OpenAPI: "3.1.0",
		Info:    m.cfg.openAPI,
		Paths:   make(map[string]object),
	}
	if d.Info == (openAPIInfo{}) {
		d.Info = openAPIInfo{Title: "Asynchronous jobs", Version: "0"}
	}
	if m.cfg.baseURL != "" {
		d.Servers = []object{{"url": m.cfg.baseURL}}
	}
	if m.status.there {
		m.describeStatusRoutes(d.Paths)
	}
	for _, r := range table.inOrder() {
		m.describeRoute(d.Paths, types, r)
	}
	d.Components = object{"schemas": types.named, "headers": headerComponents(), "parameters": parameterComponents()}
	return json.MarshalIndent(d, "", " ")
}

// servedDocument is a document with its validator.
type servedDocument struct {
	data []byte
	etag string
}

// prepareOpenAPI makes the document that is served, if one is. Routes cannot change any
// more.
func (m *Manager) prepareOpenAPI(table *routeTable) error {
	if m.cfg.openAPI == (openAPIInfo{}) {
		return nil
	}
	data, err := m.describe(table)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	m.document.Store(&servedDocument{data, fmt.Sprintf(`"%x"`, sum[:16])})
	return nil
}

// showOpenAPI answers GET /openapi.json.
func (m *Manager) showOpenAPI(c *gin.Context) {
	document := m.document.Load()
	if document == nil {
		m.fail(c, errNotStarted)
		return
	}
	c.Header("ETag", document.etag)
	c.Header("Cache-Control", "private, no-cache") // a deployment may change it at any time
	if matches(c.Request.Header.Values("If-None-Match"), document.etag) {
		c.Status(http.StatusNotModified)
		return
	}
	c.Data(http.StatusOK, "application/json", document.data)
}
