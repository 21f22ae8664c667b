package redisstore

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// An outcome is what an attempt left: the length of its summary, the summary, and the
// recorded response. The summary has three parts, each behind its length: the latest
// progress, the response without its content, and the problem.

// takeApart returns what an attempt left: its summary, appended to dst, without the
// progress, which Redis puts in front, and the recorded response.
func takeApart(dst []byte, outcome store.Outcome) (summary, data []byte, err error) {
	var response *store.Response
	if result := outcome.Result(); result != nil {
		response, data = &result.Response, result.Data
	}
	summary, err = appendSummary(dst, response, outcome.Problem())
	return summary, data, err
}

// summaryRoom is enough for most summaries.
const summaryRoom = 64

// appendSummary appends a summary without the progress, which Redis puts before it.
func appendSummary(dst []byte, response *store.Response, problem store.Problem) ([]byte, error) {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if response != nil {
		dst = appendResponse(dst, *response)
		binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	}
	if problem.IsZero() {
		return append(dst, 0, 0, 0, 0), nil
	}
	text, err := json.Marshal(problem)
	if err != nil {
		return nil, err
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(text)))
	return append(dst, text...), nil
}

// addSummary reads the summary that an outcome begins with into the job, and reports
// whether there is a response. No text, no summary.
func addSummary(job *store.Job, outcome string) (responded bool, err error) {
	if outcome == "" {
		return false, nil
	}
	_, rest, ok := cutNumber(outcome)
	progress, rest, ok1 := cutPart(rest)
	response, rest, ok2 := cutPart(rest)
	problem, _, ok3 := cutPart(rest)
	if !ok || !ok1 || !ok2 || !ok3 {
		return false, fmt.Errorf("job %s: %w", job.ID, errRecord)
	}
	job.Progress = decodeProgress(progress)
	job.Response = decodeResponse(response)
	job.Problem, err = decodeProblem(problem)
	return response != "", err
}

func cutNumber(s string) (n int, rest string, ok bool) {
	if len(s) < 4 {
		return 0, "", false
	}
	return int(number(s[:4])), s[4:], true
}

// cutPart cuts a part of a summary off that s begins with.
func cutPart(s string) (part, rest string, ok bool) {
	n, rest, ok := cutNumber(s)
	if !ok || n > len(rest) {
		return "", "", false
	}
	return rest[:n], rest[n:], true
}

// appendResponse sums up a result: status, number of bytes and content type.
func appendResponse(dst []byte, response store.Response) []byte {
	dst = strconv.AppendInt(dst, int64(response.Status), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, response.Bytes, 10)
	dst = append(dst, ' ')
	return append(dst, response.ContentType...)
}

func decodeResponse(text string) store.Response {
	status, rest, _ := strings.Cut(text, " ")
	length, contentType, _ := strings.Cut(rest, " ")
	code, _ := strconv.Atoi(status)
	size, _ := strconv.ParseInt(length, 10, 64)
	return store.Response{Status: code, Bytes: size, ContentType: contentType}
}

// encodeProgress is a report without what Redis puts before it: its time and the number
// of its call.
func encodeProgress(progress store.Progress) string {
	return strconv.FormatFloat(progress.Percent, 'g', -1, 64) + " " + progress.Message
}

func decodeProgress(text string) store.Progress {
	at, rest, _ := strings.Cut(text, " ")
	_, rest, _ = strings.Cut(rest, " ")
	percent, message, _ := strings.Cut(rest, " ")
	ms, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return store.Progress{}
	}
	value, _ := strconv.ParseFloat(percent, 64)
	return store.Progress{Percent: value, Message: message, UpdatedAt: time.UnixMilli(ms).UTC()}
}

func decodeProblem(text string) (problem store.Problem, err error) {
	if text == "" {
		return store.Problem{}, nil
	}
	if err := json.Unmarshal([]byte(text), &problem); err != nil {
		return store.Problem{}, fmt.Errorf("redisstore: the problem of a job: %w", err)
	}
	return problem, nil
}
