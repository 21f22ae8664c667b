package ginasync

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// typedEndpoint is what OpenAPI needs of an AsyncFunc; nil for Async.
type typedEndpoint struct {
	binder            *binder
	request, response reflect.Type
}

// pathSchema is the schema of a parameter of the path.
func (e *typedEndpoint) pathSchema(types *schemas, name string) object {
	if e != nil {
		for _, field := range e.binder.fields.tagged["uri"] {
			if field.name == name {
				return types.text(field)
			}
		}
	}
	return object{"type": "string"}
}

// parameters are those of the query and the headers.
func (e *typedEndpoint) parameters(types *schemas, method string) []object {
	if e == nil {
		return nil
	}
	var all []object
	for _, field := range e.binder.fields.tagged["form"] {
		// With a body the field may be there instead.
		required := field.required() && !takesBody(method)
		all = append(all, object{"name": field.name, "in": "query", "required": required, "schema": types.text(field)})
	}
	for _, field := range e.binder.fields.tagged["header"] {
		switch http.CanonicalHeaderKey(field.name) {
		case "Accept", "Authorization", "Content-Type", "Idempotency-Key", "Prefer": // OpenAPI, or we, say these elsewhere
		default:
			all = append(all, object{"name": field.name, "in": "header", "required": field.required(), "schema": types.text(field)})
		}
	}
	return withoutRepeats(all)
}

// withoutRepeats keeps the first of the parameters with one name.
func withoutRepeats(all []object) []object {
	seen := make(map[string]bool)
	return slices.DeleteFunc(all, func(parameter object) bool {
		key := strings.ToLower(parameter["name"].(string)) + " in " + parameter["in"].(string)
		repeated := seen[key]
		seen[key] = true
		return repeated
	})
}

// takesBody reports whether a request of a method has content that means something (RFC
// 9110 §9.3).
func takesBody(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// requestBody describes the bodies that a route takes; nil when none is known.
func (e *typedEndpoint) requestBody(types *schemas, method string) object {
	if e == nil || !e.binder.hasBody || !takesBody(method) {
		return nil
	}
	schema := notNull(types.of(e.request, received))
	content := object{"required": !e.binder.isObject}
	if !e.binder.isObject {
		return withContent(content, "application/json", schema)
	}
	whole := types.object(e.request, received)
	if len(properties(whole)) > 0 {
		withContent(content, "application/json", schema)
		content["required"] = whole["required"] != nil
	}
	if e.binder.takesForms() {
		e.addForms(content, types)
	}
	if content["content"] == nil {
		return nil
	}
	return content
}

// addForms adds the form bodies. A file needs one with several parts.
func (e *typedEndpoint) addForms(content object, types *schemas) {
	content["required"] = false // the query will do
	members, required := make(map[string]object), []string{}
	for _, field := range e.binder.fields.tagged["form"] {
		members[field.name] = types.text(field)
	}
	if len(e.binder.fields.files) == 0 {
		withContent(content, "application/x-www-form-urlencoded", object{"type": "object", "properties": members})
	}
	for _, field := range e.binder.fields.files {
		file := object{"type": "string", "contentMediaType": "application/octet-stream"}
		own := e.request.FieldByIndex(field.index)
		if own.Type == manyFiles {
			file = object{"type": "array", "items": file}
		}
		members[field.name] = file
		if hasRule(own, "required") {
			required = append(required, field.name)
		}
	}
	form := object{"type": "object", "properties": members}
	if len(required) > 0 {
		form["required"] = required
		content["required"] = true
	}
	withContent(content, "multipart/form-data", form)
}

// text is the schema of a field that is taken from text, as Gin reads it.
func (s *schemas) text(field taggedField) object {
	alone := field.alone.Field(0)
	schema := object{"type": "string"}
	switch _, layout := alone.Tag.Lookup("time_format"); {
	case layout:
	case isFlat(alone.Type):
		schema = notNull(s.unnamedText(alone.Type))
	}
	addRules(schema, alone)
	if _, value, has := strings.Cut(alone.Tag.Get(field.tag), "default="); has {
		value, _, _ = strings.Cut(value, ",")
		addDefault(schema, value)
	}
	return schema
}

// unnamedText looks through the name of a type.
func (s *schemas) unnamedText(t reflect.Type) object {
	if own := ofItself(t, received); own != nil {
		return own
	}
	return s.unnamed(t, received)
}

// isFlat reports whether a type is one value, or a list of them: what else Gin reads
// from text is JSON in a string.
func isFlat(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	return isBasic(t.Kind()) || ofItself(t, received) != nil
}

// addDefault adds the value that stands for one that was not sent.
func addDefault(schema object, value string) {
	switch schema["type"] {
	case "string":
		schema["default"] = value
	case "integer", "number", "boolean":
		if json.Valid([]byte(value)) {
			schema["default"] = json.RawMessage(value)
		}
	}
}

func (f *taggedField) required() bool { return hasRule(f.alone.Field(0), "required") }
