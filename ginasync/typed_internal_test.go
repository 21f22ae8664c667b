package ginasync

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type fuzzedRequest struct {
	ID     int    `uri:"id" binding:"required"`
	Page   uint8  `form:"page"`
	Tenant string `header:"X-Tenant"`
	Title  string `json:"title" form:"title" binding:"required,max=20"`
	Rows   []struct {
		N float64 `json:"n" binding:"min=0"`
	} `json:"rows" binding:"dive"`
}

// FuzzTypedBinding holds what the binder lets through against what its tags say, and
// what it refuses against what a client is promised to be told.
func FuzzTypedBinding(f *testing.F) {
	for _, seed := range []struct{ id, query, contentType, body string }{
		{"7", "page=3", "application/json", `{"title":"a","rows":[{"n":1}]}`},
		{"x", "page=-1", "application/json", `{"title":5,"rows":[{"n":-1}]}`},
		{"7", "title=q", "application/x-www-form-urlencoded", "title=a&page=2"},
		{"7", "", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\na\r\n--b--\r\n"},
		{"7", "%zz&;", "application/vnd.x+json", `{"Title":"a","title":null} `},
		{"7", "", "text/plain", "a"},
		{"7", "", "", `[1`},
	} {
		f.Add(seed.id, seed.query, seed.contentType, seed.body)
	}
	binder, err := newBinder(reflect.TypeFor[fuzzedRequest]())
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, id, query, contentType, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", contentType)
		defer removeForm(r)
		var got fuzzedRequest
		err := binder.bind(r, gin.Params{{Key: "id", Value: id}}, &got)
		if err == nil {
			assert.NotZero(t, got.ID)
			assert.NotEmpty(t, got.Title)
			assert.LessOrEqual(t, len([]rune(got.Title)), 20)
			assert.Empty(t, got.Tenant, "nothing but the header sets it")
			for _, row := range got.Rows {
				assert.GreaterOrEqual(t, row.N, 0.0)
			}
			return
		}
		var problem *Problem
		require.ErrorAs(t, err, &problem)
		if problem.Status == http.StatusUnsupportedMediaType {
			return
		}
		assert.Equal(t, http.StatusBadRequest, problem.Status)
		assert.NotEmpty(t, problem.Errors)
		for _, one := range problem.Errors {
			assert.Contains(t, []string{"body", "path", "query", "header"}, one.In)
			assert.NotEmpty(t, one.Detail)
		}
		_, err = json.Marshal(problem)
		require.NoError(t, err)
	})
}

// FuzzIfNoneMatch: a list matches exactly if one of its members does.
func FuzzIfNoneMatch(f *testing.F) {
	for _, seed := range []string{`"1"`, `W/"1"`, `*`, `"2", "1"`, `,,`, `"1`, ``} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		got := matches([]string{field}, `"1"`)
		want := false
		for _, member := range strings.Split(field, ",") {
			switch strings.TrimSpace(member) {
			case `"1"`, `W/"1"`, "*":
				want = true
			}
		}
		assert.Equal(t, want, got)
		assert.True(t, matches([]string{field, `"1"`}, `"1"`), "a second line counts")
	})
}

func TestFieldNames(t *testing.T) {
	type row struct {
		Cells []struct {
			Value int `json:"value"`
		} `json:"cells"`
	}
	type request struct {
		Rows  []*row `json:"rows"`
		Plain string
		Id    string `header:"X-Id"`
	}
	for path, want := range map[string][2]string{
		"Rows[2].Cells[0].Value": {"rows[2].cells[0].value", "body"},
		"Plain":                  {"Plain", "body"},
		"Id":                     {"X-Id", "header"},
		"Unknown.Part":           {"Unknown.Part", "body"},
	} {
		name, in := clientName(reflect.TypeFor[request](), path)
		assert.Equal(t, want, [2]string{name, in}, path)
	}
}

func TestBinderTellsWhatItCannotName(t *testing.T) {
	t.Run("a body that cannot be read", func(t *testing.T) {
		binder, err := newBinder(reflect.TypeFor[fuzzedRequest]())
		require.NoError(t, err)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", brokenReader{})
		r.ContentLength = 5
		var problem *Problem
		require.ErrorAs(t, binder.bind(r, nil, new(fuzzedRequest)), &problem)
		assert.Contains(t, problem.Detail, "cannot be read")
	})
	t.Run("a list whose elements break a rule", func(t *testing.T) {
		binder, err := newBinder(reflect.TypeFor[[]fuzzedRequest]())
		require.NoError(t, err)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`[{}]`))
		var problem *Problem
		require.ErrorAs(t, binder.bind(r, nil, new([]fuzzedRequest)), &problem)
		assert.Contains(t, problem.Detail, "Title")
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }
