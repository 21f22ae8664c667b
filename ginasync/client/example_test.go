package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/ginasync/client"
	"github.com/gin-gonic/gin"
)

// A program posts to an asynchronous route and reads what its handler answered.
func Example() {
	server, stop := reportServer()
	defer stop()

	api := &http.Client{Transport: client.New()}
	defer api.CloseIdleConnections()
	resp, err := api.Post(server+"/reports/2026", "text/plain", strings.NewReader("twelve pages"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.StatusCode, string(body))
	// Output:
	// 201 the report for 2026 has twelve pages
}

// reportServer starts a service with one slow route.
func reportServer() (url string, stop func()) {
	r := gin.New()
	r.POST("/reports/:year", ginasync.Async(func(c *gin.Context) {
		pages, _ := io.ReadAll(c.Request.Body)
		c.String(http.StatusCreated, "the report for %s has %s", c.Param("year"), pages)
	}))
	jobs, err := ginasync.New(r)
	if err != nil {
		panic(err)
	}
	jobs.Routes(r.Group("/jobs"))
	if err := jobs.Start(context.Background()); err != nil {
		panic(err)
	}
	server := httptest.NewServer(r)
	return server.URL, func() {
		server.Close()
		_ = jobs.Shutdown(context.Background())
	}
}
