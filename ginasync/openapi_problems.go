package ginasync

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// problemStatus has the status code of each problem that requests are answered with, by
// the name at the end of its type.
func problemStatus() map[string]int {
	all := make(map[string]int)
	add := func(p Problem) { all[strings.TrimPrefix(p.Type, problemBase)] = p.Status }
	for _, row := range problems {
		add(row.problem)
	}
	add(storeUnavailable())
	// What the binder of typed routes finds.
	all["invalid-request"] = http.StatusBadRequest
	all["unsupported-media-type"] = http.StatusUnsupportedMediaType
	return all
}

// jobProblems are those that a failed job may have.
func jobProblems() []string {
	return []string{
		"goexit", "handler-failed", "no-handler", "panic", "request-sealed", "request-unreadable",
		"result-incomplete", "result-too-large", "timeout", "worker-lost",
	}
}

// problemTypes are the URIs of all problems.
func problemTypes() []string {
	names := slices.AppendSeq(jobProblems(), maps.Keys(problemStatus()))
	slices.Sort(names)
	for i, name := range names {
		names[i] = problemBase + name
	}
	return names
}

// submissionProblems are those that a request to a route may be answered with.
func (m *Manager) submissionProblems(r *route) []string {
	names := []string{
		"body-consumed", "body-too-large", "body-truncated", "idempotency-key-invalid", "idempotency-key-reused",
		"key-not-captured", "method-invalid", "not-started", "queue-full", "store-unavailable", "upgrade-refused",
	}
	if r.cfg.keyRequired {
		names = append(names, "idempotency-key-missing")
	}
	if r.endpoint.typed != nil {
		names = append(names, "invalid-request", "unsupported-media-type")
	}
	if r.cfg.wait == untilDone {
		names = append(names, "answer-not-awaited", "too-many-watchers")
	}
	if m.cfg.owner != nil {
		names = append(names, "owner-unknown")
	}
	if m.cfg.webhooks.header != "" {
		names = append(names, "callback-rejected")
	}
	if m.cfg.maxQueuedPerOwner > 0 {
		names = append(names, "too-many-jobs")
	}
	return names
}

// statusProblems are those that all status routes have; the list passes over what the
// caller may not see.
func (m *Manager) statusProblems(o statusOperation) []string {
	names := []string{"store-unavailable"}
	if o.path == "" {
		return names
	}
	names = append(names, "job-not-found")
	if m.cfg.authorize != nil {
		names = append(names, "forbidden")
	}
	return names
}

// addProblems adds a response for each status code that the named problems have. With
// replays the handler's own answer may have that code too.
func addProblems(responses object, names []string, replays bool) {
	byStatus := make(map[int][]string)
	statuses := problemStatus()
	slices.Sort(names)
	for _, name := range names {
		byStatus[statuses[name]] = append(byStatus[statuses[name]], "`"+name+"`")
	}
	for status, of := range byStatus {
		text := "A problem of the type " + strings.Join(of, " or ") + "."
		r := emptyResponse(text)
		if replays {
			r = withContent(handlerResponse(text+" Or, with AsyncResult, what the handler answered."), "*/*", object{})
		}
		withContent(r, "application/problem+json", ref("schemas", "Problem"))
		if status == http.StatusRequestedRangeNotSatisfiable {
			addHeaders(r, "Content-Range")
		}
		if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests || slices.Contains(of, "`job-not-finished`") {
			addHeaders(r, "Retry-After", "Location")
		}
		responses[strconv.Itoa(status)] = r
	}
}
