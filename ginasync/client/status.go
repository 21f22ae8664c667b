package client

import (
	"encoding/json"
	"errors"
	"mime"
	"strings"
)

// Status is what a Transport reads of a job's status document.
type Status struct {
	ID string `json:"id"`
	// State is queued, scheduled, in_progress, completed, failed or canceled; others may
	// be added. Done says that it is one of the last three, or another one that is final.
	State string `json:"state"`
	Done  bool   `json:"done"`
	// Version rises with every change of the document.
	Version int64 `json:"version"`
	// Attempt is the number of the latest attempt, 0 before the first; MaxAttempts that of
	// the last one there may be.
	Attempt     int `json:"attempt"`
	MaxAttempts int `json:"max_attempts"`
	// Progress is the handler's latest report.
	Progress Progress `json:"progress"`
	// Error is why the latest attempt did not complete; nil when it did.
	Error *Problem `json:"error"`
	Links Links    `json:"links"`
}

// Progress is what a handler reports of its work.
type Progress struct {
	Percent float64 `json:"percent"`
	Message string  `json:"message"`
}

// Links are a job's URLs as the server writes them: most often a path. One that does not
// apply is empty.
type Links struct {
	Self   string `json:"self"`
	Result string `json:"result"`
	Cancel string `json:"cancel"`
}

// Problem is an error as the server describes it (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

// errNoStatus is said of a body that is no status document.
var errNoStatus = errors.New("no status document")

// parseStatus reads a status document. Errors mean that it is none.
func parseStatus(body []byte) (Status, error) {
	var s Status
	if err := json.Unmarshal(body, &s); err != nil {
		return Status{}, err
	}
	if s.ID == "" || s.State == "" || s.Links.Self == "" {
		return Status{}, errNoStatus
	}
	return s, nil
}

// parseProblem reads a problem document, and nothing of any other.
func parseProblem(contentType string, body []byte) Problem {
	var p Problem
	if !isJSON(contentType) || json.Unmarshal(body, &p) != nil {
		return Problem{}
	}
	return p
}

// is reports whether the problem is one of those in the README of gin-async.
func (p Problem) is(name string) bool { return strings.HasSuffix(p.Type, "#"+name) }

// text is what the problem says, in one line.
func (p Problem) text() string {
	if p.Title == "" || p.Detail == "" {
		return p.Title + p.Detail
	}
	return p.Title + ": " + p.Detail
}

func isJSON(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"))
}
