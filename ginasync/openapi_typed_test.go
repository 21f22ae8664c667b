package ginasync_test

import (
	"context"
	"encoding/json"
	"mime/multipart"
	"net/netip"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type openAPIBase struct {
	Base   string `json:"base"`
	Hidden string `json:"title"`
}

type openAPITree struct {
	Kids []openAPITree `json:"kids"`
}

type openAPIList []openAPIList

type openAPISelf struct{}

func (openAPISelf) MarshalJSON() ([]byte, error)  { return []byte(`1`), nil }
func (*openAPISelf) UnmarshalJSON(_ []byte) error { return nil }

type openAPIValues struct {
	openAPIBase
	*openAPITree
	Title   string             `json:"title" binding:"required,min=2,max=9"`
	Kind    string             `json:"kind,omitempty" binding:"oneof=a b"`
	Count   uint8              `json:"count" binding:"gte=1,lte=5"`
	Ratio   float32            `json:"ratio,string"`
	Free    any                `json:"free"`
	Raw     json.RawMessage    `json:"raw"`
	Number  json.Number        `json:"number"`
	Data    []byte             `json:"data"`
	At      time.Time          `json:"at"`
	Until   *time.Time         `json:"until"`
	Addr    netip.Addr         `json:"addr"`
	Self    openAPISelf        `json:"self"`
	Pair    [2]bool            `json:"pair" binding:"len=2,dive,required"`
	Names   []string           `json:"names" binding:"omitempty,min=1,max=3"`
	ByName  map[string]float64 `json:"by_name" binding:"max=7"`
	Wait    time.Duration      `json:"wait" binding:"min=1s"`
	Lists   openAPIList        `json:"lists"`
	Tree    *openAPITree       `json:"tree"`
	Skipped string             `json:"-"`
	Own     string
	hidden  string
}

func TestOpenAPITypes(t *testing.T) {
	r := gin.New()
	r.POST("/x", ginasync.AsyncFunc(func(_ context.Context, v openAPIValues) (openAPIValues, error) {
		_ = v.hidden
		return v, nil
	}))
	d := openAPI(t, r)
	properties := func(component string, want string) {
		t.Helper()
		require.Contains(t, d.Components.Schemas, component)
		got, err := json.Marshal(d.Components.Schemas[component].Properties)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(got))
	}

	t.Run("are what a client sends", func(t *testing.T) {
		properties("openAPIValues2", `{
			"base": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#/components/schemas/openAPITree2"}},
			"title": {"type": "string", "minLength": 2, "maxLength": 9}, "kind": {"type": "string", "enum": ["a", "b"]},
			"count": {"type": "integer", "minimum": 1, "maximum": 5}, "ratio": {"type": "string"}, "free": {}, "raw": {},
			"number": {"type": "number"}, "data": {"type": "string", "contentEncoding": "base64"},
			"at": {"type": "string", "format": "date-time"}, "until": {"type": "string", "format": "date-time"},
			"addr": {"type": "string"}, "self": {}, "pair": {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 2},
			"names": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
			"by_name": {"type": "object", "additionalProperties": {"type": "number"}, "maxProperties": 7},
			"wait": {"type": "integer"}, "lists": {"$ref": "#/components/schemas/openAPIList2"},
			"tree": {"$ref": "#/components/schemas/openAPITree2"}, "Own": {"type": "string"}}`)
		assert.Equal(t, []string{"title"}, d.Components.Schemas["openAPIValues2"].Required)
	})

	t.Run("are what the handler answers, where nil is null", func(t *testing.T) {
		properties("openAPIValues", `{
			"base": {"type": "string"}, "kids": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/openAPITree"}},
			"title": {"type": "string"}, "kind": {"type": "string"}, "count": {"type": "integer", "minimum": 0},
			"ratio": {"type": "string"}, "free": {}, "raw": {}, "number": {"type": "number"},
			"data": {"type": ["string", "null"], "contentEncoding": "base64"},
			"at": {"type": "string", "format": "date-time"}, "until": {"type": ["string", "null"], "format": "date-time"},
			"addr": {"type": "string"}, "self": {}, "pair": {"type": "array", "items": {"type": "boolean"}},
			"names": {"type": ["array", "null"], "items": {"type": "string"}},
			"by_name": {"type": ["object", "null"], "additionalProperties": {"type": "number"}},
			"wait": {"type": "integer"}, "lists": {"$ref": "#/components/schemas/openAPIList"},
			"tree": {"anyOf": [{"$ref": "#/components/schemas/openAPITree"}, {"type": "null"}]},
			"Own": {"type": "string"}}`)
		assert.NotContains(t, d.Components.Schemas["openAPIValues"].Required, "kind")
		assert.Contains(t, d.Components.Schemas["openAPIValues"].Required, "count")
	})
}

// described types whose names are those of our own components.
type Problem struct{ Mine int }

func TestOpenAPIRequests(t *testing.T) {
	r := gin.New()
	type search struct {
		ID      int       `uri:"id"`
		Page    int       `form:"page,default=3" binding:"min=1"`
		Text    string    `form:"text,default=all" binding:"required"`
		On      bool      `form:"on,default=yes"`
		Day     time.Time `form:"day" time_format:"2006-01-02"`
		At      time.Time `form:"at"`
		Tags    []string  `form:"tag"`
		Filter  struct{}  `form:"filter"`
		Tenant  string    `header:"X-Tenant" binding:"required"`
		Again   string    `header:"x-tenant"`
		Accept  string    `header:"Accept"`
		Comment string    `json:"comment" form:"comment"`
	}
	type upload struct {
		File  *multipart.FileHeader   `form:"file" binding:"required"`
		Files []*multipart.FileHeader `form:"files"`
		Name  string                  `form:"name"`
	}
	r.GET("/search/:id", ginasync.AsyncFunc(func(context.Context, search) (int, error) { return 0, nil }))
	r.POST("/search/:id", ginasync.AsyncFunc(func(context.Context, search) (Problem, error) { return Problem{}, nil }))
	r.POST("/upload", ginasync.AsyncFunc(func(context.Context, upload) (*Problem, error) { return nil, nil })) //nolint:nilnil // nobody calls it
	r.POST("/list", ginasync.AsyncFunc(func(context.Context, []int) (any, error) { return 0, nil }))
	r.POST("/none", ginasync.AsyncFunc(func(context.Context, struct{}) ([]int, error) { return nil, nil }))
	r.POST("/query", ginasync.AsyncFunc(func(context.Context, struct {
		H string `header:"X-H"`
	},
	) (int, error) {
		return 0, nil
	}))
	d := openAPI(t, r)

	t.Run("have the parameters of their tags", func(t *testing.T) {
		want := map[string]string{
			"id in path": `{"type":"integer"}`, "page in query": `{"type":"integer","minimum":1,"default":3}`, "text in query, required": `{"type":"string","default":"all"}`,
			"on in query": `{"type":"boolean"}`, "day in query": `{"type":"string"}`, "at in query": `{"type":"string","format":"date-time"}`,
			"tag in query": `{"type":"array","items":{"type":"string"}}`, "filter in query": `{"type":"string"}`, "comment in query": `{"type":"string"}`,
			"X-Tenant in header, required": `{"type":"string"}`, "Idempotency-Key in header": `{"type":"string"}`,
		}
		got := make(map[string]string)
		for _, parameter := range d.operation(t, "get", "/search/{id}").Parameters {
			if parameter.Name == "" {
				continue // a component
			}
			name := parameter.Name + " in " + parameter.In
			if parameter.Required && parameter.In != "path" {
				name += ", required"
			}
			got[name] = string(parameter.Schema)
		}
		assert.Len(t, got, len(want))
		for name, schema := range want {
			if assert.Contains(t, got, name) {
				assert.JSONEq(t, schema, got[name], name)
			}
		}
		for _, parameter := range d.operation(t, "post", "/search/{id}").Parameters {
			assert.False(t, parameter.Required && parameter.In == "query", "a form body will do")
		}
	})

	t.Run("have the bodies that they may have", func(t *testing.T) {
		bodies := func(method, path string) (types []string, required bool) {
			body := d.operation(t, method, path).RequestBody
			for mediaType := range body.Content {
				types = append(types, mediaType)
			}
			return types, body.Required
		}
		types, required := bodies("post", "/search/{id}")
		assert.ElementsMatch(t, []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}, types)
		assert.False(t, required)
		types, required = bodies("post", "/upload")
		assert.ElementsMatch(t, []string{"multipart/form-data"}, types)
		assert.True(t, required)
		assert.JSONEq(t, `{"type":"object","required":["file"],"properties":{"name":{"type":"string"},
			"file":{"type":"string","contentMediaType":"application/octet-stream"},
			"files":{"type":"array","items":{"type":"string","contentMediaType":"application/octet-stream"}}}}`,
			string(d.operation(t, "post", "/upload").RequestBody.Content["multipart/form-data"].Schema))
		types, required = bodies("post", "/list")
		assert.ElementsMatch(t, []string{"application/json"}, types)
		assert.True(t, required)
		for _, path := range []string{"/none", "/query"} {
			types, required = bodies("post", path)
			assert.Empty(t, types)
			assert.False(t, required)
		}
		types, _ = bodies("get", "/search/{id}")
		assert.Empty(t, types)
	})

	t.Run("keep away from the names of our own", func(t *testing.T) {
		assert.Contains(t, d.Components.Schemas["Problem"].Properties, "title")
		assert.Contains(t, d.Components.Schemas["Problem2"].Properties, "Mine")
	})
}
