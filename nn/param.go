package nn

// Group says how a parameter is trained: which optimiser takes it and whether
// weight decay applies.
type Group uint8

const (
	Matrix    Group = iota // a hidden layer's weight, [out, in]: Muon's, decayed
	Embedding              // token or position table, [rows, channels]
	Head                   // output projection, [vocabulary, channels]
	Vector                 // bias or norm gain: never decayed
)

// Param is a named parameter with its gradient. Data holds the float32 master
// weights, row-major by Shape. Grad is nil while the parameter is frozen. Half is
// the bfloat16 copy that products read in bfloat16 mode, else nil.
type Param struct {
	Name  string // as in the checkpoint
	Shape []int
	Group Group
	Data  []float32
	Grad  []float32
	Half  []uint16
}

// Len is the number of elements.
func (p *Param) Len() int { return len(p.Data) }
