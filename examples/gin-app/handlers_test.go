package main

import (
	"context"
	"image"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve sends req to a handler on a route of its own, without any jobs.
func serve(path string, handler gin.HandlerFunc, req *http.Request) *httptest.ResponseRecorder {
	engine := gin.New()
	engine.POST(path, handler)
	rec := httptest.NewRecorder()
	engine.ServeHTTP(rec, req)
	return rec
}

func TestThumbnail(t *testing.T) {
	t.Run("scales PNG and JPEG to the width and keeps the proportions", func(t *testing.T) {
		photo := gradient(60, 40)
		for _, content := range [][]byte{asPNG(t, photo), asJPEG(t, photo)} {
			for width, height := range map[int]int{1: 1, 16: 11, 59: 39, 120: 80} {
				small := scaled(t, width, content)
				assert.Equal(t, image.Pt(width, height), small.Bounds().Size())
				left, _, _, _ := small.At(0, 0).RGBA()
				right, _, _, _ := small.At(width-1, 0).RGBA()
				assert.True(t, width == 1 || left < right, "the picture is another one")
			}
		}
	})
	t.Run("is 128 pixels wide unless told otherwise", func(t *testing.T) {
		rec := serve("/thumbnails", thumbnail, upload(t, "/thumbnails", "image", asPNG(t, gradient(300, 200))))
		require.Equal(t, http.StatusOK, rec.Code, rec.Body)
		cfg, _, err := image.DecodeConfig(rec.Body)
		require.NoError(t, err)
		assert.Equal(t, 128, cfg.Width)
	})
	t.Run("keeps at least one pixel of a flat picture", func(t *testing.T) {
		assert.Equal(t, image.Pt(10, 1), scaled(t, 10, asPNG(t, gradient(300, 1))).Bounds().Size())
	})
}

// scaled sends content to the handler and returns the thumbnail.
func scaled(t *testing.T, width int, content []byte) image.Image {
	t.Helper()
	url := "/thumbnails?width=" + itoa(width)
	rec := serve("/thumbnails", thumbnail, upload(t, url, "image", content))
	require.Equal(t, http.StatusOK, rec.Code, rec.Body)
	require.Equal(t, "image/png", rec.Header().Get("Content-Type"))
	small, format, err := image.Decode(rec.Body)
	require.NoError(t, err)
	require.Equal(t, "png", format)
	return small
}

func TestThumbnailRefuses(t *testing.T) {
	photo := asPNG(t, gradient(30, 20))
	for name, test := range map[string]struct {
		width, field string
		content      []byte
		status       int
	}{
		"a width of 0":                             {"0", "image", photo, 400},
		"a width above 4096":                       {"4097", "image", photo, 400},
		"a width that is no number":                {"wide", "image", photo, 400},
		"another field":                            {"64", "file", photo, 400},
		"a text file":                              {"64", "image", []byte("no picture\n"), 422},
		"an empty file":                            {"64", "image", nil, 422},
		"a damaged picture":                        {"64", "image", photo[:len(photo)/2], 422},
		"a picture that unpacks to a gigabyte":     {"64", "image", bomb(t, 20_000, 20_000), 422},
		"a thin picture that grows when scaled":    {"4096", "image", bomb(t, 1, 30_000_000), 422},
		"a picture with the largest size there is": {"4096", "image", bomb(t, math.MaxInt32, math.MaxInt32), 422},
	} {
		t.Run(name, func(t *testing.T) {
			req := upload(t, "/thumbnails?width="+test.width, test.field, test.content)
			rec := serve("/thumbnails", thumbnail, req)
			assert.Equal(t, test.status, rec.Code, rec.Body)
			assert.Contains(t, rec.Body.String(), `"error"`)
		})
	}
	t.Run("a body that is no form", func(t *testing.T) {
		rec := serve("/thumbnails", thumbnail, post(t, "/thumbnails"))
		assert.Equal(t, http.StatusBadRequest, rec.Code)
	})
}

func TestBuildReport(t *testing.T) {
	t.Run("sums up the rows", func(t *testing.T) {
		r, err := buildReport(t.Context(), reportRequest{Year: 2026, Title: "sales", Rows: []float64{1, 2, 6}})
		require.NoError(t, err)
		assert.Equal(t, report{Year: 2026, Title: "sales", Count: 3, Sum: 9, Mean: new(3.0)}, r)
	})
	t.Run("has no mean of no rows", func(t *testing.T) {
		r, err := buildReport(t.Context(), reportRequest{Year: 2026, Title: "sales"})
		require.NoError(t, err)
		assert.Nil(t, r.Mean)
		assert.Zero(t, r.Sum)
	})
	t.Run("refuses a sum that JSON cannot tell", func(t *testing.T) {
		_, err := buildReport(t.Context(), reportRequest{Year: 2026, Title: "sales", Rows: []float64{math.MaxFloat64, math.MaxFloat64}})
		assert.ErrorIs(t, err, errOutOfRange)
	})
}

func TestSlow(t *testing.T) {
	t.Run("takes as long as it was told", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			rec := serve("/slow/:seconds", slow, post(t, "/slow/2"))
			assert.Equal(t, http.StatusOK, rec.Code)
			assert.Equal(t, "done after 2 s\n", rec.Body.String())
			assert.Equal(t, 2*time.Second, time.Since(start))
		})
	})
	t.Run("stops and answers nothing when its context is done", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 350*time.Millisecond)
			defer cancel()
			start := time.Now()
			rec := serve("/slow/:seconds", slow, post(t, "/slow/30").WithContext(ctx))
			assert.Equal(t, 350*time.Millisecond, time.Since(start))
			assert.Empty(t, rec.Body.String())
		})
	})
	for _, seconds := range []string{"-1", "3601", "long"} {
		t.Run("refuses "+seconds, func(t *testing.T) {
			assert.Equal(t, http.StatusBadRequest, serve("/slow/:seconds", slow, post(t, "/slow/"+seconds)).Code)
		})
	}
}

func TestFlaky(t *testing.T) {
	t.Run("takes a request that is no job for a first attempt", func(t *testing.T) {
		rec := serve("/flaky", flaky, post(t, "/flaky"))
		assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
		assert.Contains(t, rec.Body.String(), "attempt 1")
	})
}
