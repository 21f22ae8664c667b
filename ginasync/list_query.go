package ginasync

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/asyncendpoints/gin-async/store"
)

// The query parameters of the list. Others are passed over.
const (
	paramState     = "state"
	paramRoute     = "route"
	paramPageSize  = "page_size"
	paramPageToken = "page_token"
)

// parseListQuery reads the filter and the page, not the owner. Parameters without a value
// are as if they were not there. The error is a *Problem that names each one that is
// wrong.
func parseListQuery(raw string) (store.Query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return store.Query{}, fieldErrors{{"", "query", "is malformed: " + err.Error()}}.problem()
	}
	var wrong fieldErrors
	query := store.Query{
		States: statesIn(values[paramState], &wrong),
		Route:  single(values, paramRoute, &wrong),
		Cursor: single(values, paramPageToken, &wrong),
	}
	if size := single(values, paramPageSize, &wrong); size != "" {
		// A number out of range is brought into it, by the store.
		if query.Limit, err = strconv.Atoi(size); err != nil && !errors.Is(err, strconv.ErrRange) {
			wrong.add(paramPageSize, "query", "must be a whole number")
		}
	}
	if err := wrong.problem(); err != nil {
		return store.Query{}, err
	}
	return query, nil
}

// statesIn reads states, separated by commas or given one by one. Only the first that is
// none is told: there may be very many.
func statesIn(lists []string, wrong *fieldErrors) []store.State {
	var states []store.State
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			state := store.State(strings.TrimSpace(name))
			switch {
			case state == "" || slices.Contains(states, state):
			case state.Valid():
				states = append(states, state)
			default:
				wrong.add(paramState, "query", fmt.Sprintf("has %.40q, which is no state: the states are %s", string(state), stateNames()))
				return nil
			}
		}
	}
	return states
}

func stateNames() string {
	var names []string
	for _, state := range store.States() {
		names = append(names, string(state))
	}
	return strings.Join(names, ", ")
}

// single reads a parameter that makes no sense twice.
func single(values url.Values, name string, wrong *fieldErrors) string {
	if len(values[name]) > 1 {
		wrong.add(name, "query", "is given more than once")
	}
	return values.Get(name)
}
