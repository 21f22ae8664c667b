package ginasync

import (
	"github.com/asyncendpoints/gin-async/ginasync/internal/outbound"
	"github.com/asyncendpoints/gin-async/worker"
)

// What the jobs of webhooks are stored under. No client can have the owners.
const (
	ownRoutes     = "ginasync "
	deliveryRoute = ownRoutes + "webhook delivery"
	lookoutRoute  = ownRoutes + "webhook lookout"
	webhookQueue  = "webhooks"
	deliveryOwner = "ginasync\x00webhook deliveries"
	lookoutOwner  = "ginasync\x00webhook lookouts"
)

// webhooks sends the events of a Manager. An event is sent by deliveries, one for each
// receiver, which are jobs. They are made by whoever sees the job end: the worker that
// settled it, the Manager that canceled it. Because that may die, or nobody may see it,
// there is a lookout beside each job, made before the 202, which looks from time to time
// whether the job is over and makes the deliveries if they are not there. The store
// makes a delivery once however often it is asked, for its key says which job, which
// version of it, and which receiver.
//
// The nil webhooks send nothing. It is safe for concurrent use.
type webhooks struct {
	manager *Manager
	cfg     webhookConfig
	trusted *outbound.Client // to the operator's URLs
	guarded *outbound.Client // to those of clients
	lanes   lanes
}

// newWebhooks returns nil when there can be nothing to send.
func newWebhooks(m *Manager) *webhooks {
	cfg := m.cfg.webhooks
	if !cfg.on() {
		return nil
	}
	return &webhooks{
		manager: m, cfg: cfg,
		trusted: outbound.NewClient(nil, cfg.transport),
		guarded: outbound.NewClient(&outbound.Guard{Except: cfg.networks}, cfg.transport),
		lanes:   lanes{most: max(m.cfg.queues[webhookQueue]/2, 1)},
	}
}

// close closes connections that are not in use.
func (w *webhooks) close() {
	if w != nil {
		w.trusted.Close()
		w.guarded.Close()
	}
}

// route tells the worker how to run the jobs of webhooks.
func (w *webhooks) route(name string) (worker.Route, bool) {
	if w == nil {
		return worker.Route{}, false
	}
	switch name {
	case deliveryRoute:
		return worker.Route{Handle: w.deliver, Timeout: deliveryTimeout}, true
	case lookoutRoute:
		return worker.Route{Handle: w.look, Timeout: deliveryTimeout}, true
	default:
		return worker.Route{}, false
	}
}
