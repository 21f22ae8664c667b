// Package table holds what was measured: a line for each row, a column for whoever was
// measured, medians over the rounds, and whether the goals are met.
package table
