package ginasync

import (
	"encoding"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// direction is which way a value goes: a client need not send what the server always
// does.
type direction bool

const (
	received direction = false
	sent     direction = true
)

// schemas collects the JSON schemas of Go types, as encoding/json reads and writes them.
type schemas struct {
	named map[string]any // components/schemas
	names map[schemaKey]string
}

type schemaKey struct {
	t   reflect.Type
	way direction
}

// newSchemas begins with the types of our own, under names that mean something to who
// does not know the Go code.
func newSchemas() *schemas {
	s := &schemas{named: make(map[string]any), names: make(map[schemaKey]string)}
	own := map[string]reflect.Type{
		"Job": reflect.TypeFor[Status](), "JobProgress": reflect.TypeFor[StatusProgress](),
		"JobResponse": reflect.TypeFor[StatusResponse](), "JobLinks": reflect.TypeFor[Links](),
		"JobList": reflect.TypeFor[StatusList](), "Problem": reflect.TypeFor[Problem](), "FieldError": reflect.TypeFor[FieldError](),
	}
	for name, t := range own {
		s.names[schemaKey{t, sent}] = name
		s.named[name] = nil // taken
	}
	texts := memberTexts()
	for name, t := range own {
		schema := s.object(t, sent)
		for member, of := range properties(schema) {
			if of["$ref"] == nil { // not all tools look beside one
				of["description"] = texts[name][member]
			}
		}
		if text := texts[name][""]; text != "" {
			schema["description"] = text
		}
		s.named[name] = schema
	}
	job, _ := s.named["Job"].(object)
	problem, _ := s.named["Problem"].(object)
	openEnum(properties(job)["state"], store.States())
	openEnum(properties(problem)["type"], problemTypes())
	return s
}

func properties(schema object) map[string]object {
	members, _ := schema["properties"].(map[string]object)
	return members
}

// openEnum lists values that a string has so far.
func openEnum[T ~string](schema object, values []T) {
	delete(schema, "type")
	schema["anyOf"] = []object{{"type": "string", "enum": values}, {"type": "string"}}
}

// of returns the schema of a type: a reference for one with a name.
func (s *schemas) of(t reflect.Type, way direction) object {
	if known := ofItself(t, way); known != nil {
		return known
	}
	if t.Name() == "" || t.PkgPath() == "" || isBasic(t.Kind()) {
		return s.unnamed(t, way)
	}
	key := schemaKey{t, way}
	if _, known := s.names[key]; !known {
		name := s.newName(t)
		s.names[key], s.named[name] = name, nil // before the type, which may hold itself
		s.named[name] = s.unnamed(t, way)
	}
	return ref("schemas", s.names[key])
}

func isBasic(kind reflect.Kind) bool {
	switch kind {
	case reflect.Struct, reflect.Slice, reflect.Array, reflect.Map, reflect.Pointer:
		return false
	default:
		return true
	}
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// newName is the name of a type, with a number when it is taken.
func (s *schemas) newName(t reflect.Type) string {
	base := strings.Trim(notInName.ReplaceAllString(t.Name(), "_"), "_")
	name := base
	for n := 2; ; n++ {
		if _, taken := s.named[name]; !taken {
			return name
		}
		name = base + strconv.Itoa(n)
	}
}

// ofItself returns the schema of a type that writes and reads itself, or nil.
func ofItself(t reflect.Type, way direction) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[json.Number]():
		return object{"type": "number"}
	}
	pointer := t
	if t.Kind() != reflect.Pointer {
		pointer = reflect.PointerTo(t)
	}
	text, own := reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[json.Marshaler]()
	if way == received {
		text, own = reflect.TypeFor[encoding.TextUnmarshaler](), reflect.TypeFor[json.Unmarshaler]()
	}
	switch {
	case t.Kind() == reflect.Interface, t.Kind() == reflect.Pointer:
		return nil
	case pointer.Implements(own):
		return object{} // whatever it likes
	case pointer.Implements(text):
		return object{"type": "string"}
	default:
		return nil
	}
}

// unnamed returns the schema of a type without regard to its name.
func (s *schemas) unnamed(t reflect.Type, way direction) object {
	switch kind := t.Kind(); kind {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return object{"type": "integer", "minimum": 0}
	case reflect.Pointer:
		return orNull(s.of(t.Elem(), way))
	case reflect.Array:
		return object{"type": "array", "items": s.of(t.Elem(), way)}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 && ofItself(t.Elem(), way) == nil {
			return orNull(object{"type": "string", "contentEncoding": "base64"})
		}
		return orNull(object{"type": "array", "items": s.of(t.Elem(), way)})
	case reflect.Map:
		return orNull(object{"type": "object", "additionalProperties": s.of(t.Elem(), way)})
	case reflect.Struct:
		return s.object(t, way)
	default: // an interface, or nothing that JSON can hold
		return object{}
	}
}

// orNull allows null, which is how nil is written.
func orNull(schema object) object {
	switch name, plain := schema["type"].(string); {
	case plain:
		schema["type"] = []string{name, "null"}
		return schema
	case schema["$ref"] != nil:
		return object{"anyOf": []object{schema, {"type": "null"}}}
	default: // it does already, or is anything
		return schema
	}
}

// notNull takes that back, for a member that is left out instead.
func notNull(schema object) object {
	if names, many := schema["type"].([]string); many {
		schema["type"] = names[0]
	}
	if choice, is := schema["anyOf"].([]object); is && len(choice) == 2 && choice[0]["$ref"] != nil {
		return choice[0]
	}
	return schema
}

// object returns the schema of a struct.
func (s *schemas) object(t reflect.Type, way direction) object {
	members, required := make(map[string]object), []string{}
	s.addMembers(t, way, members, &required, make(map[reflect.Type]bool))
	schema := object{"type": "object", "properties": members}
	if len(required) > 0 {
		slices.Sort(required)
		schema["required"] = required
	}
	return schema
}

// addMembers adds the members of a struct, and then of those embedded in it: the outer
// ones hide the inner.
func (s *schemas) addMembers(t reflect.Type, way direction, members map[string]object, required *[]string, seen map[reflect.Type]bool) {
	seen[t] = true
	var embedded []reflect.Type
	for i := range t.NumField() {
		field := t.Field(i)
		if inner := embeddedStruct(field); inner != nil && !seen[inner] {
			embedded = append(embedded, inner)
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || field.Tag.Get("json") == "-" || way == received && fromElsewhere(field) {
			continue
		}
		if name == "" {
			name = field.Name
		}
		if _, hidden := members[name]; hidden {
			continue
		}
		members[name] = s.member(field, way, options)
		if way == received && hasRule(field, "required") || way == sent && isAlwaysThere(field, options) {
			*required = append(*required, name)
		}
	}
	for _, inner := range embedded {
		s.addMembers(inner, way, members, required, seen)
	}
}

// member returns the schema of a struct's field.
func (s *schemas) member(field reflect.StructField, way direction, options string) object {
	schema := s.of(field.Type, way)
	if strings.Contains(options, "string") && isBasic(field.Type.Kind()) {
		schema = object{"type": "string"}
	}
	if way == received || strings.Contains(options, "omit") {
		schema = notNull(schema)
	}
	if way == received {
		addRules(schema, field)
	}
	return schema
}

// embeddedStruct returns the struct whose fields are members of the one it is embedded
// in, or nil.
func embeddedStruct(field reflect.StructField) reflect.Type {
	t := field.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	if !field.Anonymous || name != "" || t.Kind() != reflect.Struct || ofItself(t, sent) != nil {
		return nil
	}
	return t
}

// fromElsewhere reports whether a field is never taken from a JSON body.
func fromElsewhere(field reflect.StructField) bool {
	_, named := field.Tag.Lookup("json")
	return !named && hasSourceTag(field)
}

// isAlwaysThere reports whether a member has a value whenever its struct has one. Null
// is none, so that a type that holds itself has an end.
func isAlwaysThere(field reflect.StructField, options string) bool {
	switch field.Type.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return false
	default:
		return !strings.Contains(options, "omit")
	}
}
