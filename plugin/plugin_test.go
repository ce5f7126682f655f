package plugin

import (
	"errors"
	"slices"
	"testing"
)

func TestRegistry(t *testing.T) {
	r := New[int]("colour")
	r.MustRegister("Red", 1, "std")
	r.MustRegister("blue", 2, "std")
	if v, err := r.Get("RED"); v != 1 || err != nil {
		t.Errorf("Get: %v %v", v, err)
	}
	if got := r.Names(); !slices.Equal(got, []string{"blue", "Red"}) {
		t.Errorf("Names: %v", got)
	}
}

func TestRegistryRejects(t *testing.T) {
	r := New[int]("colour")
	r.MustRegister("red", 1, "std")
	var conflict *ConflictError
	if err := r.Register("RED", 2, "mine"); !errors.As(err, &conflict) || conflict.Taken != "std" || conflict.Source != "mine" {
		t.Errorf("second red: %v", err)
	}
	var missing *NotFoundError
	if _, err := r.Get("green"); !errors.As(err, &missing) || err.Error() != `colour: want one of red, got "green"` {
		t.Errorf("green: %v", err)
	}
	if r.Register("", 1, "std") == nil {
		t.Error("an empty name was accepted")
	}
}
