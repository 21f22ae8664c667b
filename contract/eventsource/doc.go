// Package eventsource follows jobs with the EventSource of browsers, as Node has it.
package eventsource
