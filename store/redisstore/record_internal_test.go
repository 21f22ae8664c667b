package redisstore

import (
	"bytes"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func TestScriptsAndGoNameTheSameFields(t *testing.T) {
	assert.Len(t, fields(), fieldCount)
	assert.Equal(t, fields(), namesIn(t, "base.lua", "FIELDS"))
	var names []string
	for _, field := range claimed() {
		names = append(names, fields()[field])
	}
	assert.Equal(t, names, namesIn(t, "claim.lua", "CLAIMED"))
}

// namesIn reads a list of names out of a script.
func namesIn(t *testing.T, file, list string) []string {
	t.Helper()
	text, err := sources.ReadFile("scripts/" + file)
	require.NoError(t, err)
	found := regexp.MustCompile(`(?s)local ` + list + ` = \{(.*?)\}`).FindSubmatch(text)
	require.NotNil(t, found)
	var names []string
	for _, quoted := range regexp.MustCompile(`'(\w+)'`).FindAllSubmatch(found[1], -1) {
		names = append(names, string(quoted[1]))
	}
	return names
}

func TestEveryStepSaysItsKeysAndArguments(t *testing.T) {
	files, err := sources.ReadDir("scripts")
	require.NoError(t, err)
	for _, file := range files {
		text, err := sources.ReadFile("scripts/" + file.Name())
		require.NoError(t, err)
		if file.Name() == "base.lua" || file.Name() == "held.lua" {
			continue // parts, not steps
		}
		assert.Contains(t, string(text), "\n-- KEYS: partition", file.Name())
		assert.Contains(t, string(text), "\n-- Returns ", file.Name())
		assert.Equal(t, strings.Contains(string(text), "ARGV["), strings.Contains(string(text), "\n-- ARGV: "), file.Name())
	}
}

func TestPayloadComesApartAsItWasPutTogether(t *testing.T) {
	for _, c := range []struct{ request, envelope string }{
		{"", ""}, {"r", ""}, {"", "e"}, {strings.Repeat("r", 300), "\x00e"},
	} {
		payload := joinPayload([]byte(c.request), []byte(c.envelope))
		request, envelope, err := splitPayload(payload)
		require.NoError(t, err)
		assert.Equal(t, c.request, string(request))
		assert.Equal(t, c.envelope, string(envelope))
	}
}

func FuzzPayload(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add(joinPayload([]byte("request"), []byte("envelope")), []byte("x"))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, []byte{1})
	f.Fuzz(func(t *testing.T, stored, more []byte) {
		if request, envelope, err := splitPayload(stored); err == nil && len(request)+len(envelope) >= len(stored) {
			t.Fatal("more came out than was in")
		}
		request, envelope, err := splitPayload(joinPayload(stored, more))
		if err != nil || !bytes.Equal(request, stored) || !bytes.Equal(envelope, more) {
			t.Fatal("it does not come back", err)
		}
	})
}

func TestSummariesComeBack(t *testing.T) {
	for _, response := range []store.Response{
		{}, {Status: 200}, {Status: 422, ContentType: "text/plain; charset=utf-8", Bytes: 1 << 40},
	} {
		assert.Equal(t, response, decodeResponse(encodeResponse(response)))
	}
	assert.Zero(t, decodeResponse(""))
	for _, problem := range []store.Problem{{}, {Type: "t", Title: "T", Status: 500, Detail: "\"é\x00\n"}} {
		text, err := encodeProblem(problem)
		require.NoError(t, err)
		got, err := decodeProblem(text)
		require.NoError(t, err)
		assert.Equal(t, problem, got)
	}
	_, err := decodeProblem("no JSON")
	assert.Error(t, err)
}

func TestProgressOfAnEarlierClaimIsForgotten(t *testing.T) {
	stored := "3 1764000000000 17 " + encodeProgress(store.Progress{Percent: 12.5, Message: "two  words"})
	want := store.Progress{Percent: 12.5, Message: "two  words", UpdatedAt: time.UnixMilli(1764000000000).UTC()}
	assert.Equal(t, want, decodeProgress(stored, 3))
	assert.Zero(t, decodeProgress(stored, 4))
	assert.Zero(t, decodeProgress("", 0))
}

func TestRecordsThatMakeNoSenseAreErrors(t *testing.T) {
	whole := make(record, fieldCount)
	_, found, err := whole.job("id")
	require.NoError(t, err)
	assert.False(t, found, "a job without a state is none")

	_, _, err = whole[1:].job("id")
	assert.ErrorContains(t, err, "17 fields")

	whole[fieldState] = "asleep"
	_, _, err = whole.job("id")
	assert.ErrorContains(t, err, `unknown state "asleep"`)

	whole[fieldState], whole[fieldProblem] = "failed", "{"
	_, _, err = whole.job("id")
	assert.Error(t, err)
}

func TestMillisecondsAreRoundedUp(t *testing.T) {
	for d, want := range map[time.Duration]int64{-1: 0, 0: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, time.Hour: 3600000, math.MaxInt64: 100 * 365 * 24 * 3600000} {
		assert.Equal(t, want, milliseconds(d), d)
	}
	assert.Equal(t, int64(1), retention(0))
}
