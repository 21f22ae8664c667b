package ginasync_test

import (
	"context"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
)

func TestOpenAPIRoutes(t *testing.T) {
	handler := func() gin.HandlerFunc { return ginasync.Async(text("")) }

	t.Run("have their paths as OpenAPI writes them", func(t *testing.T) {
		r := gin.New()
		for _, path := range []string{"/a", "/b/:x/c/:y", "/files/*rest", "/user_:name", `/op\:cancel/:id`} {
			r.POST(path, handler())
		}
		d := openAPI(t, r)
		for path, names := range map[string][]string{
			"/a": nil, "/b/{x}/c/{y}": {"x", "y"}, "/files/{rest}": {"rest"}, "/user_{name}": {"name"}, "/op:cancel/{id}": {"id"},
		} {
			var got []string
			for _, parameter := range d.operation(t, "post", path).Parameters {
				if parameter.In == "path" {
					assert.True(t, parameter.Required)
					got = append(got, parameter.Name)
				}
			}
			assert.Equal(t, names, got, path)
		}
	})

	t.Run("share a path whose parameters have other names by method", func(t *testing.T) {
		r := gin.New()
		r.POST("/a/:x", handler())
		r.PUT("/a/:y", ginasync.AsyncFunc(func(context.Context, struct {
			Y int `uri:"y"`
		},
		) (int, error) {
			return 0, nil
		}))
		d := openAPI(t, r)
		assert.NotContains(t, d.Paths, "/a/{y}")
		put := d.operation(t, "put", "/a/{x}")
		assert.Equal(t, "x", put.Parameters[0].Name)
		assert.JSONEq(t, `{"type":"integer"}`, string(put.Parameters[0].Schema))
	})

	t.Run("have the methods that make jobs and that OpenAPI has a word for", func(t *testing.T) {
		r := gin.New()
		r.Any("/any", handler())
		var methods []string
		for method := range openAPI(t, r).Paths["/any"] {
			methods = append(methods, method)
		}
		assert.ElementsMatch(t, []string{"get", "post", "put", "patch", "delete", "trace"}, methods)
	})

	t.Run("have the headers that the Manager takes", func(t *testing.T) {
		r := gin.New()
		r.POST("/a", ginasync.Async(text(""), ginasync.RequireIdempotencyKey()))
		required := make(map[string]bool)
		for _, parameter := range openAPI(t, r, everyOption()...).operation(t, "post", "/a").Parameters {
			required[parameter.Name] = parameter.Required
		}
		assert.Equal(t, map[string]bool{"": false, "Idempotency-Key": true, "X-Callback-Url": false}, required, "Prefer is a component")
	})
}
