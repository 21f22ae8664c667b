package ginasync

import (
	"testing"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
)

func TestURLsForNobodysRequestHaveTheBase(t *testing.T) {
	m, err := New(gin.New(), WithBaseURL("https://api.example.com"), WithURL(func(*gin.Context, string) string {
		panic("there is no request")
	}))
	require.NoError(t, err)
	require.Equal(t, Links{}, m.linksOf(nil, Job{ID: "id"}), "there are no status routes")
	m.Routes(m.engine.Group("/jobs"))
	require.Equal(t, Links{Self: "https://api.example.com/jobs/id"}, m.statusOf(nil, Job{ID: "id", State: store.Canceled}).Links)
}
