package ginasync

import (
	"encoding/json"
	"math"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fill gives every exported field that can be reached a value that is not zero.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 7, 1, 12, 30, 0, 120e6, time.UTC)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), text)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), text)
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(-42)
	case reflect.Float64:
		v.SetFloat(12.5)
	default:
		panic("a field of a kind that no document has had: " + v.Kind().String())
	}
}

// sameJSON asserts that a document is written as package json would.
func sameJSON(t *testing.T, status *Status) {
	t.Helper()
	want, err := json.Marshal(status)
	require.NoError(t, err)
	require.Equal(t, string(want), string(status.appendJSON(nil)))
}

func TestDocumentIsWhatPackageJSONWrites(t *testing.T) {
	t.Run("with every member", func(t *testing.T) {
		for _, text := range []string{"plain", `"quoted" \ <b>&amp;`, "line\nend\x00", "größer \u2028 \xff"} {
			var status Status
			fill(reflect.ValueOf(&status).Elem(), text)
			sameJSON(t, &status)
		}
	})

	t.Run("with every byte", func(t *testing.T) {
		for c := range 256 {
			sameJSON(t, &Status{Route: "a" + string([]byte{byte(c)}) + "b"})
		}
	})

	t.Run("with none", func(t *testing.T) {
		sameJSON(t, &Status{})
	})

	t.Run("with each member alone", func(t *testing.T) {
		for i := range reflect.TypeFor[Status]().NumField() {
			var status Status
			fill(reflect.ValueOf(&status).Elem().Field(i), "x")
			sameJSON(t, &status)
		}
		for i := range reflect.TypeFor[Links]().NumField() {
			var status Status
			fill(reflect.ValueOf(&status.Links).Elem().Field(i), "x")
			sameJSON(t, &status)
		}
	})

	t.Run("a percentage that is no number does not break it", func(t *testing.T) {
		document := (&Status{Progress: &StatusProgress{Percent: math.NaN()}}).appendJSON(nil)
		assert.True(t, json.Valid(document), "%s", document)
	})
}

func FuzzDocument(f *testing.F) {
	f.Add("id", "POST /x", "text/plain", "message", 99.5, int64(17), int64(1_782_909_000_123))
	f.Fuzz(func(t *testing.T, id, route, contentType, message string, percent float64, n, millis int64) {
		if math.IsNaN(percent) || math.IsInf(percent, 0) {
			return
		}
		at := time.UnixMilli(millis % 253_402_300_799_999).UTC()
		if at.Year() < 0 {
			return
		}
		sameJSON(t, &Status{
			ID: id, Route: route, Version: n, CreatedAt: &at, RetryAfter: n,
			Progress: &StatusProgress{Percent: percent, Message: message},
			Response: &StatusResponse{Status: int(n), ContentType: contentType, Bytes: n},
			Links:    Links{Self: route, Cancel: message},
		})
	})
}

func BenchmarkDocument(b *testing.B) {
	m := &Manager{status: statusGroup{there: true, path: "/jobs"}}
	job := sinkJob()
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		status := m.statusOf(nil, job)
		buffer = status.appendJSON(buffer[:0])
	}
}

func TestDocumentKeepsTheContentTypeOfAMiddleware(t *testing.T) {
	w := blankWriter{header: http.Header{"Content-Type": {"application/vnd.job+json"}}}
	c := gin.CreateTestContextOnly(&w, gin.New())
	new(documents).writeAccepted(c, Status{})
	assert.Equal(t, []string{"application/vnd.job+json"}, w.header["Content-Type"])
	assert.Equal(t, http.StatusAccepted, w.status)
}
