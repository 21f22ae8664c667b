package ginasync

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// inOrder returns the routes that make jobs, by path and method.
func (t *routeTable) inOrder() []*route {
	return slices.SortedFunc(maps.Values(t.byName), func(a, b *route) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method))
	})
}

// describeRoute adds the operation of an async route to paths. OpenAPI has no word for
// CONNECT.
func (m *Manager) describeRoute(paths map[string]object, types *schemas, r *route) {
	if r.method == http.MethodConnect {
		return
	}
	template, names := sameTemplate(paths, r.pattern)
	responses := r.responses(types, m.status.there)
	addProblems(responses, m.submissionProblems(r), true)
	operation := object{
		"summary":    r.name,
		"tags":       []string{"asynchronous"},
		"parameters": append(r.parameters(types, names), m.headerParameters(r)...),
		"responses":  responses,
	}
	if body := r.endpoint.typed.requestBody(types, r.method); body != nil {
		operation["requestBody"] = body
	}
	item := paths[template]
	if item == nil {
		item = object{}
		paths[template] = item
	}
	item[strings.ToLower(r.method)] = operation
}

// Parameters of Gin's take the rest of their segment, or of the path. A colon behind a
// backslash is none.
var (
	ginParameter     = regexp.MustCompile(`(^|[^\\])[:*]([^/]+)`)
	openAPIParameter = regexp.MustCompile(`\{([^}]*)\}`)
)

// pathTemplate writes a path of Gin's as OpenAPI does, and returns the names of its
// parameters.
func pathTemplate(pattern string) (template string, names []string) {
	template = unescapeColons(ginParameter.ReplaceAllString(pattern, "$1{$2}"))
	return template, parameterNames(template)
}

func parameterNames(template string) []string {
	var names []string
	for _, match := range openAPIParameter.FindAllStringSubmatch(template, -1) {
		names = append(names, match[1])
	}
	return names
}

// sameTemplate is pathTemplate but for a path that is described already: OpenAPI takes
// templates that differ in the names of parameters alone for one, while Gin has one for
// each method. The names are those of the first.
func sameTemplate(paths map[string]object, pattern string) (template string, names []string) {
	template, names = pathTemplate(pattern)
	shape := openAPIParameter.ReplaceAllString(template, "{}")
	for known := range paths {
		if openAPIParameter.ReplaceAllString(known, "{}") == shape {
			return known, parameterNames(known)
		}
	}
	return template, names
}

// parameters are those of the path, under the names given, and those that a typed route
// takes.
func (r *route) parameters(types *schemas, names []string) []object {
	_, own := pathTemplate(r.pattern)
	var all []object
	for i, name := range names {
		all = append(all, object{
			"name": name, "in": "path", "required": true,
			"schema": r.endpoint.typed.pathSchema(types, own[i]),
		})
	}
	return append(all, r.endpoint.typed.parameters(types, r.method)...)
}

// headerParameters are the request headers that the Manager takes.
func (m *Manager) headerParameters(r *route) []object {
	key := parameter("header", "Idempotency-Key", "A request that is sent again with the same key gets the job of the first.")
	key["required"] = r.cfg.keyRequired
	all := []object{ref("parameters", "Prefer"), key}
	if name := m.cfg.webhooks.header; name != "" {
		all = append(all, parameter("header", name, "An https URL that the end of the job is told to."))
	}
	return all
}

const handlersAnswer = "What the handler answers, for a request that waited for it: its own status, headers and body, with AsyncResult."

// responses of an async route but for problems. What a Gin handler may answer is not
// known. followed says that there are status routes.
func (r *route) responses(types *schemas, followed bool) object {
	accepted := jsonResponse("The job is stored. Follow Location.", ref("schemas", "Job"),
		"Retry-After", "Preference-Applied", "Idempotent-Replayed")
	if followed {
		addHeaders(accepted, "Location", "Content-Location")
		accepted["links"] = object{
			"status": object{"operationId": "getJob", "parameters": object{"id": "$response.body#/id"}},
			"result": object{"operationId": "getJobResult", "parameters": object{"id": "$response.body#/id"}},
		}
	}
	all := object{"202": accepted, "default": withContent(handlerResponse(handlersAnswer), "*/*", object{})}
	if typed := r.endpoint.typed; typed != nil {
		all["200"] = withContent(handlerResponse(handlersAnswer), "application/json", types.of(typed.response, sent))
	}
	return all
}
