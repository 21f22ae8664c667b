// Package rows holds the rows of the table, one kind in a file: a name, a unit, a goal,
// and for each column how it is measured.
package rows
