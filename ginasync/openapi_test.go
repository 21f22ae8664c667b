package ginasync_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// described is a document, as far as these tests look into it. What OpenAPI wants of one
// is tested in the module contract, with a validator.
type described struct {
	OpenAPI    string
	Info       struct{ Title, Version string }
	Servers    []struct{ URL string }
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Schemas map[string]struct {
			Properties map[string]json.RawMessage
			Required   []string
		}
	}
}

func describe(t *testing.T, data []byte) described {
	t.Helper()
	var d described
	require.NoError(t, json.Unmarshal(data, &d))
	return d
}

// operation is one of a document.
type operation struct {
	Parameters []struct {
		Name, In string
		Required bool
		Schema   json.RawMessage
	}
	RequestBody struct {
		Required bool
		Content  map[string]struct{ Schema json.RawMessage }
	}
	Responses map[string]struct {
		Description string
		Headers     map[string]json.RawMessage
	}
}

func (d described) operation(t *testing.T, method, path string) operation {
	t.Helper()
	var o operation
	require.Contains(t, d.Paths, path)
	require.Contains(t, d.Paths[path], method)
	require.NoError(t, json.Unmarshal(d.Paths[path][method], &o))
	return o
}

// openAPI returns the document of an engine's Manager, which is not started.
func openAPI(t *testing.T, r *gin.Engine, opts ...ginasync.Option) described {
	t.Helper()
	jobs, err := ginasync.New(r, append(opts, ginasync.WithLogger(slog.New(slog.DiscardHandler)))...)
	require.NoError(t, err)
	jobs.Routes(r.Group("/jobs"))
	data, err := jobs.OpenAPI()
	require.NoError(t, err)
	return describe(t, data)
}

func everyOption() []ginasync.Option {
	return []ginasync.Option{
		ginasync.WithOpenAPI("Reports", "2.1"),
		ginasync.WithMaxQueuedPerOwner(1),
		ginasync.WithWebhookSecrets("hooks.example.com", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
		ginasync.WithCallbacks("X-Callback-Url", "hooks.example.com"),
		ginasync.WithOwner(func(*gin.Context) string { return "ann" }),
		ginasync.WithAuthorize(func(*gin.Context, ginasync.Job, ginasync.Action) error { return nil }),
	}
}

func TestOpenAPIDescribes(t *testing.T) {
	t.Run("each status route, and no other", func(t *testing.T) {
		for name, opts := range map[string][]ginasync.Option{"by default": nil, "with every option": everyOption()} {
			r := gin.New()
			d := openAPI(t, r, opts...)
			var registered, shown []string
			for _, info := range r.Routes() {
				if info.Method != http.MethodHead && info.Path != "/jobs/openapi.json" {
					registered = append(registered, info.Method+" "+strings.Replace(info.Path, ":id", "{id}", 1))
				}
			}
			for path, item := range d.Paths {
				for method := range item {
					shown = append(shown, strings.ToUpper(method)+" "+path)
				}
			}
			assert.ElementsMatch(t, registered, shown, name)
		}
	})

	t.Run("each member of the status document, and no other", func(t *testing.T) {
		d := openAPI(t, gin.New())
		for name, value := range map[string]any{
			"Job": &ginasync.Status{}, "JobProgress": &ginasync.StatusProgress{}, "JobResponse": &ginasync.StatusResponse{},
			"JobLinks": &ginasync.Links{}, "JobList": &ginasync.StatusList{}, "Problem": &ginasync.Problem{}, "FieldError": &ginasync.FieldError{},
		} {
			least := members(t, value)
			fill(reflect.ValueOf(value).Elem())
			all := members(t, value)
			schema := d.Components.Schemas[name]
			var shown []string
			for member, text := range schema.Properties {
				shown = append(shown, member)
				assert.Regexp(t, `"description": ?"\S|"\$ref":`, string(text), "%s.%s", name, member)
			}
			assert.ElementsMatch(t, all, shown, name)
			for _, member := range schema.Required {
				assert.Contains(t, least, member, "%s: left out when it has no value", name)
			}
		}
	})

	t.Run("each state and each problem type that there is", func(t *testing.T) {
		d := openAPI(t, gin.New(), everyOption()...)
		problem := string(d.Components.Schemas["Problem"].Properties["type"])
		anchors := readmeAnchors(t)
		require.NotEmpty(t, anchors)
		for _, anchor := range anchors {
			assert.Contains(t, problem, "#"+anchor+`"`)
		}
		assert.Equal(t, len(anchors), strings.Count(problem, "https://"), "and no other")
		assert.JSONEq(t, `{"anyOf":[{"type":"string","enum":["queued","scheduled","in_progress","completed","failed","canceled"]},{"type":"string"}],
			"description":"Where the job stands. States may be added: done says all a client needs."}`,
			string(d.Components.Schemas["Job"].Properties["state"]))
	})

	t.Run("each problem that a request is answered with, at its status", func(t *testing.T) {
		r := gin.New()
		r.POST("/x", ginasync.AsyncFunc(func(context.Context, struct{ A int }) (int, error) { return 1, nil }, ginasync.OnPrefer(), ginasync.RequireIdempotencyKey()))
		d := openAPI(t, r, everyOption()...)
		for name, status := range readmeProblems(t) {
			if name == "method-not-allowed" {
				continue // of HEAD, which is not described
			}
			found := false
			for path, item := range d.Paths {
				for method := range item {
					for code, response := range d.operation(t, method, path).Responses {
						if strings.Contains(response.Description, "`"+name+"`") {
							assert.Equal(t, strconv.Itoa(status), code, name)
							found = true
						}
					}
				}
			}
			assert.True(t, found, "%s is in no response: add it to an operation", name)
		}
	})

	t.Run("the URL that the service has for its clients", func(t *testing.T) {
		assert.Empty(t, openAPI(t, gin.New()).Servers)
		d := openAPI(t, gin.New(), ginasync.WithBaseURL("https://api.example.com/v2"))
		assert.Equal(t, "https://api.example.com/v2", d.Servers[0].URL)
	})

	t.Run("a service without status routes", func(t *testing.T) {
		r := gin.New()
		r.POST("/x", ginasync.Async(text("")))
		jobs, err := ginasync.New(r)
		require.NoError(t, err)
		data, err := jobs.OpenAPI()
		require.NoError(t, err)
		d := describe(t, data)
		assert.Len(t, d.Paths, 1)
		assert.NotContains(t, d.operation(t, "post", "/x").Responses["202"].Headers, "Location")
		assert.Equal(t, "3.1.0", d.OpenAPI)
		assert.Equal(t, "Asynchronous jobs", d.Info.Title)
	})
}

// fill gives every exported field a value that is not zero.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case !f.CanSet():
		case f.Type() == reflect.TypeFor[*time.Time]():
			f.Set(reflect.ValueOf(&time.Time{}))
		case f.Kind() == reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		case f.Kind() == reflect.Struct:
			fill(f)
		case f.Kind() == reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		case f.Kind() == reflect.String:
			f.SetString("x")
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		case f.CanInt():
			f.SetInt(1)
		}
	}
}

func members(t *testing.T, value any) []string {
	t.Helper()
	data, err := json.Marshal(value)
	require.NoError(t, err)
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &all))
	var names []string
	for name := range all {
		names = append(names, name)
	}
	return names
}

func TestOpenAPIMistakes(t *testing.T) {
	t.Run("are those that Start returns", func(t *testing.T) {
		r := gin.New()
		r.POST("/x", ginasync.Async(nil))
		jobs, err := ginasync.New(r)
		require.NoError(t, err)
		jobs.Routes(nil)
		_, err = jobs.OpenAPI()
		require.ErrorContains(t, err, "handler is nil")
		require.ErrorContains(t, err, "Routes needs a group")
		assert.EqualError(t, jobs.Start(t.Context()), err.Error())
	})

	t.Run("are a title or a version that is missing", func(t *testing.T) {
		for _, opt := range []ginasync.Option{ginasync.WithOpenAPI("", "1"), ginasync.WithOpenAPI("a", "")} {
			_, err := ginasync.New(gin.New(), opt)
			assert.ErrorContains(t, err, "WithOpenAPI needs a title and a version")
		}
	})
}

func TestOpenAPIIsServed(t *testing.T) {
	routes := func(r *gin.Engine) { r.POST("/x/:y", ginasync.Async(text(""))) }

	t.Run("as the document, and is revalidated", func(t *testing.T) {
		a := newApp(t, routes, ginasync.WithOpenAPI("Reports", "2.1"))
		got := a.get("/jobs/openapi.json")
		assert.Equal(t, http.StatusOK, got.StatusCode)
		assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
		assert.Equal(t, "private, no-cache", got.Header.Get("Cache-Control"))
		data, err := a.jobs.OpenAPI()
		require.NoError(t, err)
		assert.Equal(t, string(data), string(got.body))
		assert.Equal(t, "Reports", describe(t, data).Info.Title)
		assert.Contains(t, describe(t, data).Paths, "/x/{y}")

		tag := got.Header.Get("ETag")
		again := a.get("/jobs/openapi.json", "If-None-Match", tag)
		assert.Equal(t, http.StatusNotModified, again.StatusCode)
		assert.Equal(t, tag, again.Header.Get("ETag"))
		assert.Empty(t, again.body)
		assert.Equal(t, http.StatusOK, a.get("/jobs/openapi.json", "If-None-Match", `"other"`).StatusCode)
		head := a.do(http.MethodHead, "/jobs/openapi.json", nil)
		assert.Equal(t, http.StatusOK, head.StatusCode)
		assert.Empty(t, head.body)
	})

	t.Run("only when asked for", func(t *testing.T) {
		got := newApp(t, routes).get("/jobs/openapi.json")
		assert.Contains(t, got.problem(t).Type, "#job-not-found")
	})

	t.Run("once the routes are known", func(t *testing.T) {
		r := gin.New()
		jobs, err := ginasync.New(r, ginasync.WithOpenAPI("a", "1"), ginasync.WithLogger(slog.New(slog.DiscardHandler)))
		require.NoError(t, err)
		jobs.Routes(r.Group("/jobs"))
		before, err := jobs.OpenAPI()
		require.NoError(t, err)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/jobs/openapi.json", http.NoBody))
		assert.Equal(t, http.StatusInternalServerError, w.Code)
		require.NoError(t, jobs.Start(t.Context()))
		defer func() { require.NoError(t, jobs.Shutdown(context.Background())) }()
		after, err := jobs.OpenAPI()
		require.NoError(t, err)
		assert.Equal(t, string(before), string(after), "the same routes give the same bytes")
	})
}

// readmeAnchors are the problem types in the README.
func readmeAnchors(t *testing.T) []string {
	t.Helper()
	return slices.Sorted(func(yield func(string) bool) {
		for _, row := range readmeProblemRow.FindAllStringSubmatch(readme(t), -1) {
			if !yield(row[1]) {
				return
			}
		}
	})
}

// readmeProblems are those in the README that requests are answered with, with their
// status codes: the rows of its first table.
func readmeProblems(t *testing.T) map[string]int {
	t.Helper()
	first, _, found := strings.Cut(readme(t), "A failed job's `error` has one of these")
	require.True(t, found)
	all := make(map[string]int)
	for _, row := range readmeProblemRow.FindAllStringSubmatch(first, -1) {
		status, err := strconv.Atoi(row[2])
		require.NoError(t, err, row[0])
		all[row[1]] = status
	}
	return all
}

var readmeProblemRow = regexp.MustCompile("<a id=\"([^\"]+)\"></a>`[^`]+` \\| ([^|]+?) \\|")
