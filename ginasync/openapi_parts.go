package ginasync

// ref points to a component.
func ref(kind, name string) object {
	return object{"$ref": "#/components/" + kind + "/" + name}
}

// emptyResponse describes an answer with headers of headerComponents, and those that all
// answers have.
func emptyResponse(text string, headers ...string) object {
	r := object{"description": text, "headers": object{}}
	addHeaders(r, headers...)
	addHeaders(r, "Cache-Control", "Referrer-Policy", "Vary")
	return r
}

func jsonResponse(text string, schema object, headers ...string) object {
	return withContent(emptyResponse(text, headers...), "application/json", schema)
}

// handlerResponse describes what a handler answered.
func handlerResponse(text string, headers ...string) object {
	r := emptyResponse(text, headers...)
	addHeaders(r, "AsyncResult", "Accept-Ranges", "Idempotent-Replayed", "Link", "Preference-Applied", "X-Content-Type-Options")
	return r
}

func addHeaders(response object, headers ...string) {
	all, _ := response["headers"].(object)
	for _, name := range headers {
		all[name] = ref("headers", name)
	}
}

// withContent adds a media type to a response or a request body.
func withContent(to object, mediaType string, schema object) object {
	content, _ := to["content"].(object)
	if content == nil {
		content = object{}
		to["content"] = content
	}
	content[mediaType] = object{"schema": schema}
	return to
}

// headerComponents are the response headers.
func headerComponents() object {
	text := object{"type": "string"}
	header := func(description string, schema object) object {
		return object{"description": description, "schema": schema}
	}
	return object{
		"Location":           header("The URL of the job's status.", object{"type": "string", "format": "uri-reference"}),
		"Content-Location":   header("The same URL: the content is what GET returns there (RFC 9110 §8.7).", object{"type": "string", "format": "uri-reference"}),
		"Retry-After":        header("When to ask again, in seconds.", object{"type": "integer", "minimum": 0}),
		"Vary":               header("Has Prefer in it.", text),
		"Preference-Applied": header("The preferences that were honoured (RFC 7240 §3).", text),
		"Cache-Control":      header("Who may keep the answer.", text),
		"Referrer-Policy":    header("no-referrer where the job's id is all that protects it.", text),
		"Link":               header("Where to go on (RFC 8288): rel=monitor is the job's status, rel=next the next page. A handler may have its own.", text),
		"Accept-Ranges":      header("Says whether parts may be asked for with Range.", text),
		"Content-Range":      header("Which part it is, and of how much (RFC 9110 §14.4).", text),

		"Idempotent-Replayed":    header("true: the job is that of an earlier request with this Idempotency-Key.", text),
		"X-Content-Type-Options": header("nosniff", text),
		"ETag":                   header("The version of the job, in quotes.", text),
		"AsyncResult":            header("The status code that the handler answered. With it an answer is the handler's, without it the server's own.", object{"type": "integer"}),
	}
}

func parameter(in, name, description string) object {
	return object{"in": in, "name": name, "description": description, "required": in == "path", "schema": object{"type": "string"}}
}

// parameterComponents are the parameters that are not a handler's.
func parameterComponents() object {
	return object{
		"JobID":         parameter("path", "id", "The job's id."),
		"Prefer":        parameter("header", "Prefer", "RFC 7240: wait=N waits up to N seconds, 30 at most; respond-async asks for a 202 at once."),
		"If-None-Match": parameter("header", "If-None-Match", "The ETag of the document that the client has: 304 while there is no other."),
		"Range":         parameter("header", "Range", "bytes=first-last: that part of a 200, as 206 (RFC 9110 §14)."),
		"If-Range":      parameter("header", "If-Range", "Range counts only if this is still the handler's ETag or Last-Modified."),
		"Envelope":      parameter("query", "envelope", "1 asks for 200 with a document of status, headers and body, for clients that must not see the handler's status itself."),
		"State":         parameter("query", "state", "Only jobs in these states, separated by commas."),
		"Route":         parameter("query", "route", "Only jobs of this asynchronous route."),
		"PageSize":      parameter("query", "page_size", "How many at most."),
		"PageToken":     parameter("query", "page_token", "next_page_token of the page before."),
		"Last-Event-ID": parameter("header", "Last-Event-ID", "The id of the last event that the client has got: only newer ones are sent."),
	}
}

// memberTexts describe the members of our own types, by component; the one without a name
// is the type itself.
func memberTexts() map[string]map[string]string {
	return map[string]map[string]string{
		"Job": {
			"":                    "The status document of a job. Members without a value are left out.",
			"id":                  "The job's id.",
			"state":               "Where the job stands. States may be added: done says all a client needs.",
			"done":                "The job is over: its state is a terminal one.",
			"version":             "Rises with every change of the document.",
			"route":               "The asynchronous route.",
			"queue":               "The queue that the job waits in.",
			"attempt":             "The number of the latest attempt; 0 before the first.",
			"max_attempts":        "The number of the last attempt that there may be.",
			"created_at":          "When the job was stored.",
			"started_at":          "When the latest attempt began.",
			"finished_at":         "When the job was over.",
			"expires_at":          "When the job, which is over, will be removed.",
			"next_attempt_at":     "When a scheduled job will run.",
			"cancel_requested_at": "When the running job was asked to stop.",
			"retry_after":         "When to ask again, in seconds; left out for 0.",
		},
		"JobProgress": {
			"":        "What the handler reported last.",
			"percent": "How much is done, 0 to 100.", "message": "What is being done.", "updated_at": "When this was reported.",
		},
		"JobResponse": {
			"":       "What the handler answered, in short; the result has all of it.",
			"status": "The status code.", "content_type": "The media type.", "bytes": "The length of the body.",
		},
		"JobLinks": {
			"":     "The URLs of the job that are of use in its state.",
			"self": "The status document.", "result": "The result.", "events": "The event stream.",
			"cancel": "POST stops the job.", "retry": "POST runs the failed job again.",
		},
		"Problem": {
			"":       "An error (RFC 9457); that of a job is why its latest attempt did not complete.",
			"type":   "The kind of problem. Kinds may be added, and handlers have their own.",
			"title":  "The same for people: one text for a type.",
			"status": "The HTTP status code.",
			"detail": "What is special about this occurrence and how to mend it.",
			"errors": "Each field of the request that is wrong.",
		},
		"JobList": {
			"jobs": "Status documents.", "next_page_token": "page_token of the next page; left out on the last one.",
		},
		"FieldError": {
			"field": "Its name as the client wrote it; left out when the body as a whole is meant.",
			"in":    "Where it stands: body, path, query or header.", "detail": "What is wrong with it.",
		},
	}
}
