package ginasync

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/asyncendpoints/gin-async/worker"
	"github.com/gin-gonic/gin"
)

// route is one async route of the engine, bound to a Manager.
type route struct {
	name     string // what stored jobs say; the same in every process
	method   string
	path     string // Gin's full path, with its parameters
	pattern  string // the same, with the backslashes that tell colons from parameters
	allow    string // methods that make jobs at this path, for the Allow header
	endpoint *endpoint
	cfg      routeConfig
	withheld headerSet // credentials that are not stored
	worker   worker.Route
}

// newRoute reads the options of an endpoint for one of its routes.
func (m *Manager) newRoute(method, path string, e *endpoint) (*route, error) {
	if e.err != nil {
		return nil, e.err
	}
	cfg := m.cfg.defaults.clone()
	cfg.apply(e.opts)
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if err := m.cfg.declared(cfg.queue); err != nil {
		return nil, err
	}
	if err := e.needs(m.withheld); err != nil {
		return nil, err
	}
	if err := m.cfg.signs(cfg.webhooks); err != nil {
		return nil, fmt.Errorf("Webhook: %w", err)
	}
	name := cfg.name
	if name == "" {
		name = method + " " + path
	}
	if reserved(name) {
		return nil, fmt.Errorf("the name %q is the library's own: give the route another Name", name)
	}
	return &route{name: name, method: method, path: path, endpoint: e, cfg: cfg, withheld: m.withheld}, nil
}

// handlers are what runs in the worker, in order.
func (r *route) handlers(before []gin.HandlerFunc) []gin.HandlerFunc {
	return slices.Concat(before, r.cfg.middleware, []gin.HandlerFunc{r.endpoint.handler})
}

// accepts reports whether requests of the route's method become jobs. A HEAD or
// OPTIONS request asks about a resource; it orders no work.
func (r *route) accepts() bool {
	return r.method != http.MethodHead && r.method != http.MethodOptions
}

// routeTable finds routes by what a request says and by what a job says. It does not
// change once the Manager is started.
type routeTable struct {
	byPath map[routeKey]*route
	byName map[string]*route
}

func newRouteTable() *routeTable {
	return &routeTable{byPath: make(map[routeKey]*route), byName: make(map[string]*route)}
}

// add puts a route in, unless another one has its name.
func (t *routeTable) add(r *route) error {
	if r.accepts() {
		if other, taken := t.byName[r.name]; taken {
			return fmt.Errorf("the name %q belongs to %s %s already: give one of them another Name", r.name, other.method, other.path)
		}
		t.byName[r.name] = r
	}
	t.byPath[routeKey{r.method, r.path}] = r
	return nil
}

// allow notes at each route which methods make jobs at its path.
func (t *routeTable) allow() {
	methods := make(map[string][]string)
	for _, r := range t.byName {
		methods[r.path] = append(methods[r.path], r.method)
	}
	for _, r := range t.byPath {
		slices.Sort(methods[r.path])
		r.allow = strings.Join(methods[r.path], ", ")
	}
}

// bind gives the endpoints to m, all or none. From then on requests reach m.
func (t *routeTable) bind(m *Manager) error {
	for _, r := range t.byPath {
		if !r.endpoint.manager.CompareAndSwap(nil, m) && r.endpoint.manager.Load() != m {
			t.unbind(m)
			return fmt.Errorf("route %s %s belongs to another Manager: one engine takes one Manager", r.method, r.path)
		}
	}
	return nil
}

// unbind takes back what bind gave to m.
func (t *routeTable) unbind(m *Manager) {
	for _, r := range t.byPath {
		r.endpoint.manager.CompareAndSwap(m, nil)
	}
}

// serving returns the route of a request that reached endpoint e, or nil. A
// middleware may have overridden the method; then the endpoint's only route at that
// path is meant.
func (t *routeTable) serving(e *endpoint, method, path string) *route {
	if r := t.byPath[routeKey{method, path}]; r != nil {
		return r
	}
	var only *route
	for _, r := range t.byPath {
		if r.endpoint != e || r.path != path {
			continue
		}
		if only != nil {
			return nil
		}
		only = r
	}
	return only
}

// named returns the route of a job.
func (t *routeTable) named(name string) (*route, bool) {
	r, ok := t.byName[name]
	return r, ok
}
