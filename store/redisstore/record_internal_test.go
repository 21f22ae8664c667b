package redisstore

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

// script reads a file of scripts.
func script(t *testing.T, name string) string {
	t.Helper()
	text, err := sources.ReadFile("scripts/" + name + ".lua")
	require.NoError(t, err)
	return string(text)
}

func TestScriptsAndGoReadTheSameHead(t *testing.T) {
	text := script(t, "layout")
	format := regexp.MustCompile(`local HEAD = '<(.*)'`).FindStringSubmatch(text)
	require.NotNil(t, format)
	var offsets []int
	size := 0
	for _, field := range regexp.MustCompile(`([Ic])(\d+)`).FindAllStringSubmatch(format[1], -1) {
		offsets = append(offsets, size)
		n, err := strconv.Atoi(field[2])
		require.NoError(t, err)
		size += n
	}
	assert.Equal(t, headSize, size)
	assert.Contains(t, text, fmt.Sprintf("local HEAD_SIZE, TIMES_SIZE = %d, %d\n", headSize, timesSize))
	assert.Equal(t, []int{
		atCreated, atReady, atDue, atState, atFlags, atVersion, atAttempt, atClaim,
		atStarted, atCancelRequested, atMaxAttempts, atRetention, atLength, atMarkState, atMarkNumber, atMarkSession,
	}, offsets)
	assert.Contains(t, text, fmt.Sprintf("local STATE_AT, FLAGS_AT, CLAIM_AT, RETENTION_AT, LENGTH_AT = %d, %d, %d, %d, %d\n",
		atState+1, atFlags+1, atClaim+1, atRetention+1, atLength+1))
	assert.Contains(t, text, fmt.Sprintf("CLAIMED_SIZE = '<c%dI6I6I6', %d\n", sessionChars, claimedSize))

	letters := ""
	for _, state := range []store.State{store.Queued, store.Scheduled, store.InProgress, store.Completed, store.Failed, store.Canceled} {
		letters += ", '" + letterText(state) + "'"
		assert.Equal(t, state, stateOf(letterText(state)[0]))
	}
	assert.Contains(t, text, "local QUEUED, SCHEDULED, RUNNING, COMPLETED, FAILED, CANCELED = "+letters[2:]+"\n")
	assert.Contains(t, text, fmt.Sprintf("local OWNED, KEYED, APART, GIVEN, BOUND = %d, %d, %d, %d, %d\n",
		flagOwned, flagKeyed, flagApart, flagGiven, flagBound))
}

func TestEveryStepSaysItsKeysAndArguments(t *testing.T) {
	files, err := sources.ReadDir("scripts")
	require.NoError(t, err)
	steps := 0
	for _, file := range files {
		text, err := sources.ReadFile("scripts/" + file.Name())
		require.NoError(t, err)
		if !strings.Contains(string(text), "\n-- KEYS: partition") {
			assert.NotContains(t, string(text), "ARGV", "%s is a part, not a step", file.Name())
			continue
		}
		steps++
		assert.Contains(t, string(text), "\n-- Returns ", file.Name())
		assert.Equal(t, strings.Contains(string(text), "ARGV["), strings.Contains(string(text), "\n-- ARGV: "), file.Name())
	}
	assert.Equal(t, 21, steps)
}

// newRecordOf is a record as Redis keeps it when a job is created at a time.
func newRecordOf(t *testing.T, job store.NewJob, at time.Time) string {
	t.Helper()
	key := ""
	if job.Key != "" {
		key = digest(job.Key)
	}
	record, err := newRecord(&job, key)
	require.NoError(t, err)
	times := make([]byte, timesSize)
	putNumber(times[atCreated:atReady], at.UnixMilli())
	putNumber(times[atReady:atDue], at.Add(job.Delay).UnixMilli())
	putNumber(times[atDue:], at.Add(job.Delay).UnixMilli())
	return string(times) + record
}

func TestNewRecordsAreReadAsTheyWereWritten(t *testing.T) {
	at := time.UnixMilli(1795456291002).UTC()
	job := store.NewJob{
		Route: "POST /é", Queue: "pdf", Owner: "alice\x00", MaxAttempts: 3, Delay: time.Minute, Retention: time.Hour,
		Key: "key", Fingerprint: "print", Request: []byte("GET / HTTP/1.1\r\n\r\n"), Envelope: []byte("e=1"),
	}
	h, payload, err := readHead(newRecordOf(t, job, at))
	require.NoError(t, err)
	got, err := h.job("id")
	require.NoError(t, err)
	assert.Equal(t, store.Job{
		ID: "id", Route: job.Route, Queue: job.Queue, Owner: job.Owner, State: store.Scheduled, Version: 1,
		MaxAttempts: 3, CreatedAt: at, ReadyAt: at.Add(time.Minute), DueAt: at.Add(time.Minute),
	}, got)
	request, envelope, err := splitPayload([]byte(payload))
	require.NoError(t, err)
	assert.Equal(t, job.Request, request)
	assert.Equal(t, job.Envelope, envelope)
	assert.True(t, strings.HasSuffix(string(h), digest("key")+"print"))
}

func TestNamesAreBounded(t *testing.T) {
	for _, job := range []store.NewJob{
		{Queue: strings.Repeat("q", math.MaxUint16+1)},
		{Owner: strings.Repeat("o", math.MaxUint16+1)},
		{Route: strings.Repeat("r", math.MaxUint16+1)},
		{Fingerprint: strings.Repeat("f", math.MaxUint16)},
	} {
		_, err := newRecord(&job, digest("key"))
		assert.ErrorIs(t, err, errName)
	}
}

func TestPayloadComesApartAsItWasPutTogether(t *testing.T) {
	for _, c := range []struct{ request, envelope string }{
		{"", ""}, {"r", ""}, {"", "e"}, {strings.Repeat("r", 300), "\x00e"},
	} {
		var payload strings.Builder
		writePayload(&payload, []byte(c.request), []byte(c.envelope))
		assert.LessOrEqual(t, payload.Len(), payloadSize([]byte(c.request), []byte(c.envelope)))
		request, envelope, err := splitPayload([]byte(payload.String()))
		require.NoError(t, err)
		assert.Equal(t, c.request, string(request))
		assert.Equal(t, c.envelope, string(envelope))
	}
}

// outcomeText is an outcome as Redis keeps it.
func outcomeText(t *testing.T, progress string, response *store.Response, problem store.Problem) string {
	t.Helper()
	summary := binary.LittleEndian.AppendUint32(nil, uint32(len(progress)))
	summary, err := appendSummary(append(summary, progress...), response, problem)
	require.NoError(t, err)
	return string(binary.LittleEndian.AppendUint32(nil, uint32(len(summary)))) + string(summary)
}

func TestSummariesComeBack(t *testing.T) {
	progress := "1764000000000 17 " + encodeProgress(store.Progress{Percent: 12.5, Message: "two  words"})
	for _, response := range []*store.Response{
		nil, {Status: 200}, {Status: 422, ContentType: "text/plain; charset=utf-8", Bytes: 1 << 40},
	} {
		for _, problem := range []store.Problem{{}, {Type: "t", Title: "T", Status: 500, Detail: "\"é\x00\n"}} {
			job := store.Job{ID: "id"}
			responded, err := addSummary(&job, outcomeText(t, progress, response, problem))
			require.NoError(t, err)
			assert.Equal(t, response != nil, responded)
			if response != nil {
				assert.Equal(t, *response, job.Response)
			}
			assert.Equal(t, problem, job.Problem)
			assert.Equal(t, store.Progress{Percent: 12.5, Message: "two  words", UpdatedAt: time.UnixMilli(1764000000000).UTC()}, job.Progress)
		}
	}
	var job store.Job
	responded, err := addSummary(&job, "")
	require.NoError(t, err)
	assert.False(t, responded)
	assert.Zero(t, job)
}

func TestRecordsThatMakeNoSenseAreErrors(t *testing.T) {
	whole := newRecordOf(t, store.NewJob{Queue: "q", Route: "r"}, time.Now())
	h, _, err := readHead(whole)
	require.NoError(t, err)
	for name, text := range map[string]string{
		"no head":          whole[:headSize-1],
		"names cut short":  whole[:headSize+1],
		"length too short": whole[:atLength] + "\x01\x00\x00\x00" + whole[atLength+4:],
	} {
		_, _, err := readHead(text)
		assert.ErrorIs(t, err, errRecord, name)
	}
	_, err = head(string(h[:atState]) + "?" + string(h[atState+1:])).job("id")
	assert.ErrorIs(t, err, errRecord, "a state that is none")
	_, err = head(string(h[:headSize]) + "\xff\xff" + string(h[headSize+2:])).job("id")
	assert.ErrorIs(t, err, errRecord, "a name longer than all")
	outcome := outcomeText(t, "", nil, store.Problem{})
	_, err = addSummary(&store.Job{}, outcome[:len(outcome)-1])
	assert.ErrorIs(t, err, errRecord, "a summary cut short")
	_, err = decodeProblem("no JSON")
	assert.Error(t, err)
	_, _, err = view{start: whole, value: "short"}.job("id")
	assert.ErrorIs(t, err, errRecord)
}

func FuzzView(f *testing.F) {
	record, err := newRecord(&store.NewJob{Queue: "q", Route: "r", Request: []byte("x")}, "")
	if err != nil {
		f.Fatal(err)
	}
	whole := strings.Repeat("\x01", timesSize) + record
	f.Add(whole, claimedValue("session", 1, 2, 3)+"123456abcdef1 2 3 4", "\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	f.Add(whole, "", "")
	f.Fuzz(func(t *testing.T, start, value, summary string) {
		job, _, err := view{start, value, summary, "1795456291002"}.job("id")
		if err == nil && !job.State.Valid() {
			t.Fatalf("a job with the state %q", job.State)
		}
		var claim store.Claim
		_, err = readClaim(&claim, "id", start, summary, 1)
		if err == nil && len(claim.Request)+len(claim.Envelope) > len(start) {
			t.Fatal("more came out than was in")
		}
	})
}

func TestMillisecondsAreRoundedUp(t *testing.T) {
	for d, want := range map[time.Duration]int64{-1: 0, 0: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, time.Hour: 3600000, math.MaxInt64: 100 * 365 * 24 * 3600000} {
		assert.Equal(t, want, milliseconds(d), d)
	}
	assert.Equal(t, int64(1), retention(0))
}
