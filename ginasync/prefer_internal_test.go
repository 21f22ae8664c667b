package ginasync

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
)

func TestPreferences(t *testing.T) {
	var (
		none    preferences
		async   = preferences{respondAsync: true}
		waiting = func(d time.Duration) preferences { return preferences{waits: true, wait: d} }
		both    = preferences{respondAsync: true, waits: true, wait: 10 * time.Second}
	)
	for name, test := range map[string]struct {
		lines []string
		want  preferences
	}{
		"there are none without the header":         {nil, none},
		"an empty line has none":                    {[]string{""}, none},
		"a name alone is one":                       {[]string{"respond-async"}, async},
		"names have no case":                        {[]string{"Respond-ASYNC, WAIT=10"}, both},
		"they may stand in one line":                {[]string{"respond-async, wait=10"}, both},
		"they may stand in several lines":           {[]string{"respond-async", "wait=10"}, both},
		"space may be around everything":            {[]string{" \trespond-async ,\t wait = 10 "}, both},
		"empty elements are nothing":                {[]string{",, respond-async,,wait=10,"}, both},
		"a value may be quoted":                     {[]string{`respond-async, wait="10"`}, both},
		"a quoted value may have escapes":           {[]string{`respond-async, wait="\1\0"`}, both},
		"an empty value is none":                    {[]string{`respond-async="", wait=10`}, both},
		"parameters are passed over":                {[]string{`respond-async;a=1; b ; c="x, wait=3;y", wait=10 ;`}, both},
		"a quoted value does not end at its commas": {[]string{`x="a, wait=3, \"", respond-async, wait=10`}, both},
		"others are passed over":                    {[]string{"return=minimal, respond-async, handling=lenient, wait=10"}, both},
		"the first of one name counts":              {[]string{"wait=10, respond-async, wait=20", "wait=30"}, both},
		"the first counts even if it is no number":  {[]string{"wait=abc, wait=20"}, none},
		"a wait of nothing is one":                  {[]string{"wait=0"}, waiting(0)},
		"a long wait is cut":                        {[]string{"wait=9999"}, waiting(longestWait)},
		"a wait no number holds is cut too":         {[]string{"wait=" + strings.Repeat("9", 400)}, waiting(longestWait)},
		"a wait may have leading zeros":             {[]string{"wait=0000000000000000000000007"}, waiting(7 * time.Second)},
		"a wait needs a number":                     {[]string{"wait"}, none},
		"a negative wait is none":                   {[]string{"wait=-1"}, none},
		"a wait is whole seconds":                   {[]string{"wait=1.5"}, none},
		"a sign is no digit":                        {[]string{"wait=+1"}, none},
		"digits of other scripts are none":          {[]string{`wait="١٠"`}, none},
		"respond-async has no value":                {[]string{"respond-async=false"}, none},
		"what is no preference is passed over":      {[]string{`@@, =5, "wait=3", respond-async wait=1, ;wait=3, respond-async, wait=10`}, both},
		"after an open quote the line is lost":      {[]string{`respond-async, x="wait=3, wait=4`, "wait=10"}, both},
		"a name is the whole name":                  {[]string{"waiter=3, wait-for=4, respond-asynchronously"}, none},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, preferencesOf(http.Header{"Prefer": test.lines}), "%q", test.lines)
		})
	}
}

// Whatever stands in Prefer, reading it ends, what is said of it is within the
// bounds, and what Preference-Applied says is read as the same again.
func FuzzPrefer(f *testing.F) {
	f.Add("respond-async, wait=10", "")
	f.Add(`a="b\"c"; d = "e,f" ;; g, wait="7"`, "WAIT=9999999999999999999999")
	f.Add(`"`, `\`)
	f.Add("wait=;,=,;", "wait = 3 ; x")
	f.Fuzz(func(t *testing.T, one, other string) {
		p := preferencesOf(http.Header{"Prefer": {one, other}})
		assert.GreaterOrEqual(t, p.wait, time.Duration(0))
		assert.LessOrEqual(t, p.wait, longestWait)
		assert.Zero(t, p.wait%time.Second)
		assert.True(t, p.waits || p.wait == 0)

		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		p.applied(c)
		said := c.Writer.Header().Values("Preference-Applied")
		assert.Equal(t, p, preferencesOf(http.Header{"Prefer": said}), "%q", said)

		behind := preferencesOf(http.Header{"Prefer": {one, other, "respond-async, wait=5"}})
		assert.True(t, behind.respondAsync || strings.Contains(strings.ToLower(one+other), "respond-async"))
		if p.respondAsync {
			assert.True(t, behind.respondAsync, "what comes later changes nothing")
		}
		if p.waits {
			assert.Equal(t, p.wait, behind.wait, "what comes later changes nothing")
		}
	})
}
