// Package testkit holds what several packages' tests need: vectors between
// guard bands, comparisons that say where and by how much, text goldens that
// -update rewrites, and the file format in which the peers leave their figures.
//
// Only tests import it (internal/rules sees to that). Its functions end a test
// through the testing.TB they are given; none is safe for use from another
// goroutine than the test's own, as testing.TB asks for Fatal.
package testkit
