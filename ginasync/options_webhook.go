package ginasync

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/asyncendpoints/gin-async/ginasync/internal/outbound"
	"github.com/asyncendpoints/gin-async/ginasync/webhook"
	"github.com/asyncendpoints/gin-async/store"
)

// webhookConfig is what the options for webhooks come to.
type webhookConfig struct {
	secrets  map[string][]webhook.Secret // by host, as outbound.ParseHost writes it
	header   string                      // with the callback URL; empty: clients may not give any
	hosts    outbound.Hosts              // that clients may name
	networks []netip.Prefix              // that those hosts may be in although they are not public

	transport func(*http.Transport) // changes the clients in tests
}

// subscription is one Webhook option.
type subscription struct {
	url, host string
	events    []string // empty: all
}

// Types of events.
const (
	eventCompleted = "job.completed"
	eventFailed    = "job.failed"
	eventCanceled  = "job.canceled"
)

// eventOf returns the type of the event that a job is over in that state.
func eventOf(state store.State) string { return "job." + string(state) }

// WithWebhookSecrets sets the secrets that messages to a host are signed with, as
// Standard Webhooks writes them: whsec_ and the base64 of 24 to 64 random bytes. Every
// host that events are sent to needs its own; host:port is for a port that is not the
// scheme's. To change a secret name both, give the receiver the new one, then drop the
// old one. A secret is never stored: all processes need the same option, also those that
// send nothing. It turns on the queue "webhooks", which takes 16 deliveries of this
// process at once, half of them to one host; [WithQueue] changes that. Default: none.
func WithWebhookSecrets(host string, secrets ...string) Option {
	return func(c *config) {
		name, err := outbound.ParseHost(host)
		if err != nil {
			c.mistake("WithWebhookSecrets: %w", err)
		}
		if len(secrets) == 0 {
			c.mistake("WithWebhookSecrets(%q) needs a secret", host)
		}
		for i, text := range secrets {
			secret, err := webhook.ParseSecret(text)
			if err != nil {
				c.mistake("WithWebhookSecrets(%q): secret %d of %d: %w", host, i+1, len(secrets), err)
			}
			c.webhooks.secrets[name] = append(c.webhooks.secrets[name], secret)
		}
	}
}

// WithWebhooks sends the events of all routes to url, as [Webhook] does those of one.
func WithWebhooks(url string, events ...string) Option {
	return func(c *config) {
		s, err := newSubscription(url, events)
		if err != nil {
			c.mistake("WithWebhooks: %w", err)
			return
		}
		c.defaults.webhooks = append(c.defaults.webhooks, s)
	}
}

// Webhook sends an event to url each time a job of the route is over: job.completed,
// job.failed or job.canceled, or only those that are named. It may be given more than
// once, and adds to [WithWebhooks]. The URL is the operator's and may be private; its
// host needs [WithWebhookSecrets].
//
// The message is that of Standard Webhooks 1.0.0: a POST of type, time and the status
// document of the job, without the result, signed; package webhook verifies it. An
// answer of 2xx within 20 s ends the delivery, and 410 gives it up; any other answer, a
// redirect too, has it repeated after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and
// 24 h, later if Retry-After of a 429, 502, 503 or 504 says so. The webhook-id is the
// same each time.
//
// A delivery is a job of the same store. A further job, stored before the 202 is sent,
// looks from time to time whether the job is over and makes the delivery if nobody else
// has. So each event is sent at least once, whichever processes die, as long as the store
// keeps its data and some process works on the queue "webhooks". Three things lose one: the
// worker dies between the end of the job and the storing of the delivery, and within two
// minutes the job is removed, by its retention or [Manager.Delete], or retried; the
// receiver has not taken it in ten attempts; or as many deliveries wait as half of
// [WithMaxQueued], which the log says. An event that was left to the further job
// may be two minutes late. Events may come in another order than the jobs ended. Both
// jobs are kept as long as the job itself, and count for [WithMaxQueued] while they wait.
func Webhook(url string, events ...string) RouteOption {
	return func(c *routeConfig) {
		s, err := newSubscription(url, events)
		if err != nil {
			c.mistake("Webhook: %w", err)
			return
		}
		c.webhooks = append(c.webhooks, s)
	}
}

func newSubscription(url string, events []string) (subscription, error) {
	u, err := outbound.ParseURL(url)
	if err != nil {
		return subscription{}, fmt.Errorf("the URL cannot be used: %w", err)
	}
	for _, event := range events {
		if event != eventCompleted && event != eventFailed && event != eventCanceled {
			return subscription{}, fmt.Errorf("there is no event %q: there are %s, %s and %s", event, eventCompleted, eventFailed, eventCanceled)
		}
	}
	return subscription{url: u.String(), host: outbound.HostOf(u), events: slices.Clone(events)}, nil
}

// WithCallbacks lets the client of a submission name, in the header, a URL that the
// events of its job are sent to, beside those of [Webhook]; for example
// WithCallbacks("X-Callback-Url", "hooks.example.com"). It has to be an https URL of one
// of the hosts, without user and fragment; host:port allows a port other than 443, and an
// IP address is refused unless it is one of the hosts. Each host needs
// [WithWebhookSecrets]. A URL that is refused is answered 422 (callback-rejected), and
// no job is stored.
//
// When a message is sent, the address that the host has by then must be public: not
// loopback, private, link-local, multicast or reserved, in IPv4, IPv6 or one within the
// other; see [WithCallbackNetworks]. No redirect is followed and no proxy used. A job
// that is canceled while it waits is told to the callback within two minutes, and not at
// all if it is removed before.
// Default: the header means nothing.
func WithCallbacks(header string, hosts ...string) Option {
	return func(c *config) {
		if !isToken(header) {
			c.mistake("WithCallbacks: %q is not the name of a header", header)
		}
		if len(hosts) == 0 {
			c.mistake("WithCallbacks needs the hosts that clients may name: without a list anybody could have requests sent anywhere")
		}
		for _, host := range hosts {
			name, err := outbound.ParseHost(host)
			if err != nil {
				c.mistake("WithCallbacks: %w", err)
				continue
			}
			c.webhooks.hosts[name] = true
		}
		c.webhooks.header = http.CanonicalHeaderKey(header)
	}
}

// WithCallbackNetworks lets the hosts of [WithCallbacks] be in networks that are not
// public, such as "10.0.0.0/8", or at a single address. Every client that may submit
// then reaches with its callbacks what those hosts have there. Default: none.
func WithCallbackNetworks(networks ...string) Option {
	return func(c *config) {
		for _, text := range networks {
			network, err := outbound.ParseNetwork(text)
			if err != nil {
				c.mistake("WithCallbackNetworks: %w", err)
			}
			c.webhooks.networks = append(c.webhooks.networks, network)
		}
	}
}

// checkWebhooks notes what is missing beside what, and declares the queue.
func (c *config) checkWebhooks() {
	if err := c.signs(c.defaults.webhooks); err != nil {
		c.mistake("WithWebhooks: %w", err)
	}
	for host := range c.webhooks.hosts {
		if len(c.webhooks.secrets[host]) == 0 {
			c.mistake("WithCallbacks: %w", noSecret(host))
		}
	}
	if len(c.webhooks.networks) > 0 && c.webhooks.header == "" {
		c.mistake("WithCallbackNetworks needs WithCallbacks: it is about the URLs that clients give")
	}
	if _, declared := c.queues[webhookQueue]; !declared && c.webhooks.on() {
		c.queues[webhookQueue] = 16
	}
}

// on reports whether there can be anything to send.
func (c *webhookConfig) on() bool { return len(c.secrets) > 0 }

// signs returns an error for a subscription to a host without a secret.
func (c *config) signs(subscriptions []subscription) error {
	for _, s := range subscriptions {
		if len(c.webhooks.secrets[s.host]) == 0 {
			return noSecret(s.host)
		}
	}
	return nil
}

func noSecret(host string) error {
	return fmt.Errorf("there is no secret for the host %s: add WithWebhookSecrets(%q, secret) to New", host, host)
}

// reserved reports whether a route name is one of the library's own.
func reserved(name string) bool { return strings.HasPrefix(name, ownRoutes) }
