package ginasync

import (
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type fuzzedRequest struct {
	ID     int                   `uri:"id" binding:"required"`
	Page   uint8                 `form:"page,default=1"`
	Tenant string                `header:"X-Tenant"`
	Sent   string                `header:"Date"`
	Date   string                `json:"date"`
	File   *multipart.FileHeader `form:"file"`
	Born   time.Time             `json:"born"`
	Title  string                `json:"title" form:"title" binding:"required,max=20"`
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
		{"7", "Sent=q&date=q", "application/json", `{"born":"x","title":5,"Sent":"b","File":{},"date":"d"}`},
		{"7", "", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\na\r\n--b--\r\n"},
		{"7", "", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\na\r\n--b--\r\n"},
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
		r.Header.Set("Date", "today")
		defer removeForm(r)
		var got fuzzedRequest
		err := binder.bind(r, gin.Params{{Key: "id", Value: id}}, &got)
		if err == nil {
			assert.NotZero(t, got.ID)
			assert.NotEmpty(t, got.Title)
			assert.LessOrEqual(t, len([]rune(got.Title)), 20)
			assert.Empty(t, got.Tenant, "nothing but the header sets it")
			assert.Equal(t, "today", got.Sent, "nothing but the header sets it")
			assert.NotEqual(t, "today", got.Date, "the header is another field's")
			if got.Date != "" || !got.Born.IsZero() || got.Rows != nil {
				assert.True(t, json.Valid([]byte(body)), "only JSON sets them")
			}
			if got.File != nil {
				f, err := got.File.Open()
				require.NoError(t, err, "a file is one that can be read")
				require.NoError(t, f.Close())
			}
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
		seen := make(map[FieldError]bool)
		for _, one := range problem.Errors {
			assert.Contains(t, []string{"body", "path", "query", "header"}, one.In)
			assert.NotEmpty(t, one.Detail)
			assert.NotContains(t, one.Detail, "ginasync", "Go types are not for clients")
			assert.False(t, seen[one], "said twice: %v", one)
			seen[one] = true
		}
		if seen[FieldError{Field: "title", In: "body", Detail: "is required"}] {
			assert.False(t, slices.ContainsFunc(problem.Errors, func(one FieldError) bool {
				return one.In == "body" && one.Field == ""
			}), "a body that makes no sense lacks nothing")
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
		Grid  [][]row
		ByKey map[string]row `json:"byKey"`
		Plain string
		Id    string `header:"X-Id"`
		Both  string `json:"both" form:"BOTH"`
	}
	for path, want := range map[string]place{
		"Rows[2].Cells[0].Value":     {"rows[2].cells[0].value", "body"},
		"Rows[2]":                    {"rows[2]", "body"},
		"Grid[0][1].Cells":           {"Grid[0][1].cells", "body"},
		"ByKey[a.b[c]].Cells[0]":     {"byKey[a.b[c]].cells[0]", "body"},
		"ByKey[x].Cells[7].Value":    {"byKey[x].cells[7].value", "body"},
		"Plain":                      {"Plain", "body"},
		"Id":                         {"X-Id", "header"},
		"Both":                       {"both", "body"},
		"Unknown.Part":               {"Unknown.Part", "body"},
		"Rows[0].Unknown[1].Another": {"rows[0].Unknown[1].Another", "body"},
	} {
		assert.Equal(t, want, clientName(reflect.TypeFor[request](), path, false), path)
	}
	assert.Equal(t, place{"BOTH", "body"}, clientName(reflect.TypeFor[request](), "Both", true), "a form has the form's names")
}

func TestBinderTellsWhatItCannotName(t *testing.T) {
	t.Run("a body that cannot be read", func(t *testing.T) {
		binder, err := newBinder(reflect.TypeFor[fuzzedRequest]())
		require.NoError(t, err)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", brokenReader{})
		r.ContentLength = 5
		var problem *Problem
		require.ErrorAs(t, binder.bind(r, nil, new(fuzzedRequest)), &problem)
		assert.Equal(t, []FieldError{{In: "body", Detail: "cannot be read"}}, problem.Errors[:1])
		for _, one := range problem.Errors[1:] {
			assert.NotEqual(t, "body", one.In, "what an unread body lacks is not known")
		}
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

// linked leads back to itself and has no tags of the request's other parts.
type linked struct {
	Next  *linked `json:"next"`
	Value int     `json:"value"`
}

// tree leads back to itself and has one.
type tree struct {
	Child *tree `json:"child"`
	Depth int   `form:"depth"`
}

func TestBinderRefusesTagsThatNeverBind(t *testing.T) {
	type Base struct {
		ID string `uri:"id"`
	}
	type wrapped struct{ Base }
	type name string
	for _, tt := range []struct {
		why string
		req reflect.Type
		say string
	}{
		{"an embedded pointer", reflect.TypeFor[struct{ *Base }](), "embed the struct itself"},
		{"a field that is a pointer", reflect.TypeFor[struct{ Base *Base }](), "field Base"},
		{"a pointer to a pointer", reflect.TypeFor[struct{ Base **wrapped }](), "behind a pointer"},
		{"a pointer further down", reflect.TypeFor[struct{ In struct{ Deep *wrapped } }](), "field In.Deep"},
		{"a type that leads back to itself", reflect.TypeFor[tree](), "field Child"},
		{"an embedded type that is not exported", reflect.TypeFor[struct {
			name `uri:"name"`
		}](), "not exported"},
		{"a field that is not exported", reflect.TypeFor[struct {
			tenant string `header:"X-Tenant"`
		}](), "field tenant"},
	} {
		t.Run("refuses "+tt.why, func(t *testing.T) {
			_, err := newBinder(tt.req)
			require.ErrorContains(t, err, tt.say)
		})
	}
	t.Run("takes pointers without such tags", func(t *testing.T) {
		_, err := newBinder(reflect.TypeFor[struct {
			Rows *linked    `json:"rows"`
			At   *time.Time `form:"at"`
			ID   *int       `uri:"id"`
		}]())
		require.NoError(t, err)
	})
	t.Run("refuses headers that do not reach the worker", func(t *testing.T) {
		for _, header := range []string{
			"Range", "if-match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Expect", "Accept-Encoding",
			"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "transfer-encoding", "Upgrade",
		} {
			_, err := newBinder(withHeader(header))
			require.ErrorContains(t, err, header)
			require.ErrorContains(t, err, "never reaches the worker")
		}
		for _, header := range []string{"X-Tenant", "Date", "Authorization", "-", ""} {
			_, err := newBinder(withHeader(header))
			require.NoError(t, err)
		}
	})
}

// withHeader is a request type with one header field.
func withHeader(name string) reflect.Type {
	return reflect.StructOf([]reflect.StructField{{
		Name: "Value", Type: reflect.TypeFor[string](), Tag: reflect.StructTag(`header:"` + name + `"`),
	}})
}

func TestBinderLeavesOutWhatADashKeepsOut(t *testing.T) {
	type request struct {
		In struct {
			N    int `form:"n"`
			Year int `uri:"year"`
		} `form:"-"`
	}
	binder, err := newBinder(reflect.TypeFor[request]())
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/?n=5", http.NoBody)
	var got request
	require.NoError(t, binder.bind(r, gin.Params{{Key: "year", Value: "2026"}}, &got))
	assert.Zero(t, got.In.N)
	assert.Equal(t, 2026, got.In.Year)
}

func TestAnswerErrorGivesANilProblemAText(t *testing.T) {
	var none *Problem
	for _, err := range []error{none, Permanent(none), errors.Join(none)} {
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		answerError(c, err)
		assert.Contains(t, c.Errors.String(), "nil *Problem", "loggers of requests ask for it")
		assert.Equal(t, http.StatusInternalServerError, c.Writer.Status())
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }
