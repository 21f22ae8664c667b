package ginasync

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gin-gonic/gin"
)

// keyCodec carries one c.Set value from the submission to the worker.
type keyCodec struct {
	name   string
	encode func(value any) ([]byte, error)
	decode func(data []byte) (any, error)
}

// CaptureKey carries the value that a middleware has put into the context with
// c.Set(name, value) to the worker, where c.Get(name) and [Captured] return it. The
// value must be a T when the request is submitted (else the answer is 500 and no
// job is stored) and must survive encoding/json. A request without the key, or
// with nil there, leaves it unset. For all routes: WithDefaults(CaptureKey[T](name)).
func CaptureKey[T any](name string) RouteOption {
	codec := keyCodec{
		name: name,
		encode: func(value any) ([]byte, error) {
			typed, ok := value.(T)
			if !ok {
				return nil, fmt.Errorf("the context key %q holds a %T, but CaptureKey says %T", name, value, typed)
			}
			return json.Marshal(typed)
		},
		decode: func(data []byte) (any, error) {
			var value T
			err := json.Unmarshal(data, &value)
			return value, err
		},
	}
	return func(cfg *routeConfig) {
		if name == "" {
			cfg.mistake("CaptureKey needs the name of a context key")
		}
		cfg.keys = append(cfg.keys, codec)
	}
}

// capturedValues is the context key of a typed handler's captured values.
type capturedValues struct{}

// Captured returns the value that [CaptureKey] carried along under name. ctx is
// the context of a typed handler, or a *gin.Context. ok is false when the request
// did not have the key, or not with type T.
func Captured[T any](ctx context.Context, name string) (value T, ok bool) {
	values, _ := ctx.Value(capturedValues{}).(map[string]any)
	value, ok = values[name].(T)
	return value, ok
}

// captureKeys encodes the values of c that the route carries along.
func captureKeys(c *gin.Context, codecs []keyCodec) ([]capturedKey, error) {
	if len(codecs) == 0 {
		return nil, nil
	}
	keys := make([]capturedKey, 0, len(codecs))
	for _, codec := range codecs {
		value, ok := c.Get(codec.name)
		if !ok || value == nil {
			continue
		}
		data, err := codec.encode(value)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errCaptureKey, err)
		}
		keys = append(keys, capturedKey{name: codec.name, value: data})
	}
	return keys, nil
}

// decodeKeys is the worker's side of captureKeys. Keys the route no longer names
// are left out.
func decodeKeys(keys []capturedKey, codecs []keyCodec) (map[string]any, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	values := make(map[string]any, len(keys))
	for _, key := range keys {
		for _, codec := range codecs {
			if codec.name != key.name {
				continue
			}
			value, err := codec.decode(key.value)
			if err != nil {
				return nil, fmt.Errorf("captured key %q: %w", key.name, err)
			}
			values[key.name] = value
		}
	}
	return values, nil
}
