package ginasync

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/gin-gonic/gin"
)

// probeKey is where discovery leaves a place for the endpoint to write itself to.
type probeKey struct{}

// serveCode is the code pointer of every endpoint's serve, whatever its receiver.
var serveCode = reflect.ValueOf((*endpoint)(nil).serve).Pointer()

// answerProbe hands the endpoint to discovery.
func answerProbe(c *gin.Context, e *endpoint) {
	value, _ := c.Get(probeKey{})
	if place, ok := value.(**endpoint); ok {
		*place = e
	}
}

// endpointOf returns the endpoint behind a route's last handler, or nil.
func endpointOf(handler gin.HandlerFunc) *endpoint {
	if handler == nil || reflect.ValueOf(handler).Pointer() != serveCode {
		return nil
	}
	var found *endpoint
	c := &gin.Context{}
	c.Set(probeKey{}, &found)
	handler(c)
	return found
}

// discover finds every async route of the engine. It returns all mistakes joined.
func (m *Manager) discover() (*routeTable, error) {
	table := newRouteTable()
	var errs []error
	for _, info := range m.engine.Routes() {
		e := endpointOf(info.HandlerFunc)
		if e == nil {
			continue
		}
		path := unescapeColons(info.Path)
		r, err := m.newRoute(info.Method, path, e)
		if err == nil {
			r.pattern = info.Path
			err = table.add(r)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("route %s %s: %w", info.Method, path, err))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	table.allow()
	return table, nil
}
