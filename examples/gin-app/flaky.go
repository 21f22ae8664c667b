package main

import (
	"fmt"
	"net/http"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
)

// worksFrom is the first attempt at which flaky succeeds.
const worksFrom = 3

// flaky stands for a partner that is away for a while: 503 on the first attempts,
// then 200. Called without a job, each request is a first attempt.
func flaky(c *gin.Context) {
	number := 1
	if attempt, ok := ginasync.FromContext(c.Request.Context()); ok {
		number = attempt.Number
	}
	if number < worksFrom {
		refuse(c, http.StatusServiceUnavailable, fmt.Errorf("attempt %d: the partner is away", number))
		return
	}
	c.JSON(http.StatusOK, gin.H{"attempt": number})
}
