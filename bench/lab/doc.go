// Package lab is where rows measure: one Redis, sites that come and go, and readings of
// what both have used.
package lab
