package ginasync

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// rulesOf are the rules of a field's `binding` tag, up to those of its elements.
func rulesOf(field reflect.StructField) []string {
	rules := strings.Split(field.Tag.Get("binding"), ",")
	if dive := slices.Index(rules, "dive"); dive >= 0 {
		rules = rules[:dive]
	}
	return rules
}

func hasRule(field reflect.StructField, rule string) bool {
	return slices.Contains(rulesOf(field), rule)
}

// addRules says in a schema what those rules of a field ask for that JSON Schema has a
// word for.
func addRules(schema object, field reflect.StructField) {
	t := field.Type
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	optional := hasRule(field, "omitempty") // then a zero value is let through
	for _, rule := range rulesOf(field) {
		name, value, _ := strings.Cut(rule, "=")
		switch name {
		case "min", "gte":
			if !optional {
				addBound(schema, t, "min", value)
			}
		case "max", "lte":
			addBound(schema, t, "max", value)
		case "len":
			if !optional && !isNumber(t) {
				addBound(schema, t, "min", value)
				addBound(schema, t, "max", value)
			}
		case "oneof":
			if !optional && t.Kind() == reflect.String && !strings.Contains(value, "'") {
				schema["enum"] = strings.Fields(value)
			}
		}
	}
}

// addBound adds the bound of a number, or of a length.
func addBound(schema object, t reflect.Type, which, value string) {
	if value == "" || !json.Valid([]byte(value)) { // such as "1h" of a duration
		return
	}
	switch kind := t.Kind(); {
	case isNumber(t):
		schema[which+"imum"] = json.RawMessage(value)
	case kind == reflect.String:
		schema[which+"Length"] = json.RawMessage(value)
	case kind == reflect.Slice || kind == reflect.Array:
		schema[which+"Items"] = json.RawMessage(value)
	case kind == reflect.Map:
		schema[which+"Properties"] = json.RawMessage(value)
	}
}

func isNumber(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64:
		return true
	default:
		return false
	}
}
