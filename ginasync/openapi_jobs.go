package ginasync

import (
	"cmp"
	"slices"
	"strings"
)

// statusOperation is what OpenAPI says of a status route.
type statusOperation struct {
	method, path string // the path within the status group
	id, summary  string
	parameters   []string
	answers      object
	problems     []string
	replays      bool // the handler's answer may come, with the same status as a problem
}

// describeStatusRoutes adds the operations of the status group.
func (m *Manager) describeStatusRoutes(paths map[string]object) {
	operations := append(statusOperations(), resultOperation(), deleteOperation())
	if m.cfg.owner != nil {
		operations = append(operations, listOperation())
	}
	for _, o := range operations {
		var parameters []object
		for _, name := range o.parameters {
			parameters = append(parameters, ref("parameters", name))
		}
		addProblems(o.answers, slices.Concat(o.problems, m.statusProblems(o)), o.replays)
		path := cmp.Or(m.status.path+o.path, "/")
		if paths[path] == nil {
			paths[path] = object{}
		}
		paths[path][strings.ToLower(o.method)] = object{
			"operationId": o.id,
			"summary":     o.summary,
			"tags":        []string{"jobs"},
			"parameters":  parameters,
			"responses":   o.answers,
		}
	}
}

// statusOperations are those on a job that answer with its status document.
func statusOperations() []statusOperation {
	document := ref("schemas", "Job")
	return []statusOperation{{
		method: "GET", path: "/{id}", id: "getJob",
		summary:    "The status of a job: 200 whatever became of it.",
		parameters: []string{"JobID", "Prefer", "If-None-Match"},
		answers: object{
			"200": jsonResponse("The status document.", document, "ETag", "Retry-After", "Preference-Applied"),
			"304": emptyResponse("The document is the one that the client has.", "ETag", "Retry-After", "Preference-Applied"),
		},
	}, {
		method: "GET", path: "/{id}/events", id: "streamJobEvents",
		summary:    "The status document as it is and at each change, as Server-Sent Events, until the job is over.",
		parameters: []string{"JobID", "Last-Event-ID"},
		answers: object{
			"200": withContent(emptyResponse("Events whose data is a status document and whose id is its version."), "text/event-stream", object{"type": "string"}),
			"204": emptyResponse("The client has seen the end of the job; it need not come back."),
		},
		problems: []string{"not-acceptable"},
	}, {
		method: "POST", path: "/{id}/cancel", id: "cancelJob",
		summary:    "Stops a job.",
		parameters: []string{"JobID"},
		answers: object{
			"200": jsonResponse("The job is canceled.", document),
			"202": jsonResponse("The job runs and was asked to stop.", document, "Retry-After"),
		},
		problems: []string{"job-not-cancelable"},
	}, {
		method: "POST", path: "/{id}/retry", id: "retryJob",
		summary:    "Queues a failed job again under the same id.",
		parameters: []string{"JobID"},
		answers: object{
			"202": jsonResponse("The job is queued again.", document, "Location", "Retry-After"),
		},
		problems: []string{"job-not-retryable"},
	}}
}

func resultOperation() statusOperation {
	return statusOperation{
		method: "GET", path: "/{id}/result", id: "getJobResult",
		summary:    "What the handler answered, as it did; or in an envelope, or a part of it.",
		parameters: []string{"JobID", "Prefer", "Range", "If-Range", "Envelope"},
		answers: object{
			"206":     withContent(handlerResponse("The part of the handler's 200 that Range asks for.", "Content-Range"), "*/*", object{}),
			"default": withContent(handlerResponse("What the handler answered: its own status, headers and body, with AsyncResult."), "*/*", object{}),
		},
		problems: []string{"job-canceled", "job-not-finished", "range-not-satisfiable", "result-sealed", "result-unreadable"},
		replays:  true,
	}
}

func deleteOperation() statusOperation {
	return statusOperation{
		method: "DELETE", path: "/{id}", id: "deleteJob",
		summary:    "Removes a job that is over, and cancels one that is not.",
		parameters: []string{"JobID"},
		answers: object{
			"202": jsonResponse("The job is canceled, or runs and was asked to stop.", ref("schemas", "Job"), "Retry-After"),
			"204": emptyResponse("The job and its result are gone."),
		},
	}
}

func listOperation() statusOperation {
	return statusOperation{
		method: "GET", path: "", id: "listJobs",
		summary:    "The caller's jobs, newest first.",
		parameters: []string{"State", "Route", "PageSize", "PageToken"},
		answers:    object{"200": jsonResponse("A page of them.", ref("schemas", "JobList"), "Link")},
		problems:   []string{"invalid-request", "owner-unknown"},
	}
}
