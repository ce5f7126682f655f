package pytorch

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
)

// What a pickle can make here: nil, bool, int64, float64, string, tuple, *list, *dict,
// global, *storage, *Tensor.
type (
	tuple  []any
	list   struct{ items []any }
	dict   struct{ items [][2]any }
	global string // module and name
	mark   struct{}
)

// storage is the bytes that tensors share.
type storage struct {
	dtype string
	size  int
	count int64
	data  []byte
}

// known are the names that a pickle may use, besides torch's storages.
var known = map[global]bool{
	"collections OrderedDict": true, "torch._utils _rebuild_tensor_v2": true, "torch._utils _rebuild_parameter": true, "torch Size": true,
}

// machine runs a pickle.
type machine struct {
	data    []byte
	at      int
	stack   []any
	memo    map[uint32]any
	objects int
	// open returns the bytes of a storage.
	open func(key string, size int64) ([]byte, error)
	// storages are those that are open, by key.
	storages map[string]*storage
}

func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.data)-m.at) {
		return nil, formatError("the pickle is cut off at byte %d", m.at)
	}
	out := m.data[m.at : m.at+int(n)]
	m.at += int(n)
	return out, nil
}

func (m *machine) line() (string, error) {
	n := bytes.IndexByte(m.data[m.at:], '\n')
	if n < 0 || n > 1000 {
		return "", formatError("the pickle has no line at byte %d", m.at)
	}
	out := string(m.data[m.at : m.at+n])
	m.at += n + 1
	return out, nil
}

func (m *machine) push(v any) error {
	if m.objects++; m.objects > MaxObjects {
		return formatError("the pickle makes more than %d things", MaxObjects)
	}
	m.stack = append(m.stack, v)
	return nil
}

func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, formatError("the pickle takes from an empty stack at byte %d", m.at)
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// popMark takes everything above the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, formatError("the pickle has no mark at byte %d", m.at)
}

// run runs the pickle and returns what it leaves.
func (m *machine) run() (any, error) {
	m.memo = map[uint32]any{}
	for {
		code, err := m.take(1)
		if err != nil {
			return nil, err
		}
		if code[0] == '.' {
			return m.pop()
		}
		if err := m.step(code[0]); err != nil {
			return nil, err
		}
	}
}

// step runs one instruction. Their letters are those of Python's pickletools.
//
//codexml:long one case for each instruction
func (m *machine) step(code byte) error {
	switch code {
	case 0x80: // PROTO
		_, err := m.take(1)
		return err
	case 0x95: // FRAME
		_, err := m.take(8)
		return err
	case '(': // MARK
		return m.push(mark{})
	case 'N': // NONE
		return m.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		return m.push(code == 0x88)
	case 'K', 'M', 'J', 0x8a: // BININT1, BININT2, BININT, LONG1
		return m.integer(code)
	case 'G': // BINFLOAT
		b, err := m.take(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	case 'X', 0x8c: // BINUNICODE, SHORT_BINUNICODE
		return m.text(code)
	case ')': // EMPTY_TUPLE
		return m.push(tuple(nil))
	case ']': // EMPTY_LIST
		return m.push(&list{})
	case '}': // EMPTY_DICT
		return m.push(&dict{})
	case 't': // TUPLE
		items, err := m.popMark()
		if err != nil {
			return err
		}
		return m.push(tuple(items))
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		n := int(code) - 0x84
		if len(m.stack) < n {
			return formatError("the pickle takes from an empty stack at byte %d", m.at)
		}
		items := append(tuple(nil), m.stack[len(m.stack)-n:]...)
		m.stack = m.stack[:len(m.stack)-n]
		return m.push(items)
	case 'a', 'e', 's', 'u': // APPEND, APPENDS, SETITEM, SETITEMS
		return m.fill(code)
	case 'q', 'r', 0x94, 'h', 'j': // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
		return m.remember(code)
	case 'c', 0x93: // GLOBAL, STACK_GLOBAL
		return m.global(code)
	case 'Q': // BINPERSID
		return m.persistent()
	case 'R': // REDUCE
		return m.reduce()
	case 'b': // BUILD
		return m.build()
	}
	return formatError("the pickle has instruction 0x%02x at byte %d, which describes no tensor: nothing of it is run; open the file with the program that wrote it and save the tensors alone, best as safetensors", code, m.at-1)
}

func (m *machine) integer(code byte) error {
	size := map[byte]uint64{'K': 1, 'M': 2, 'J': 4, 0x8a: 1}[code]
	b, err := m.take(size)
	if err != nil {
		return err
	}
	switch code {
	case 'K':
		return m.push(int64(b[0]))
	case 'M':
		return m.push(int64(binary.LittleEndian.Uint16(b)))
	case 'J':
		return m.push(int64(int32(binary.LittleEndian.Uint32(b))))
	}
	if b[0] > 8 {
		return formatError("the pickle has a number of %d bytes at byte %d", b[0], m.at)
	}
	if b, err = m.take(uint64(b[0])); err != nil {
		return err
	}
	n, shift := int64(0), 64-8*len(b)
	for i, x := range b {
		n |= int64(x) << (8 * i)
	}
	if len(b) == 0 {
		return m.push(int64(0))
	}
	return m.push(n << shift >> shift)
}

func (m *machine) text(code byte) error {
	size := uint64(4)
	if code == 0x8c {
		size = 1
	}
	b, err := m.take(size)
	if err != nil {
		return err
	}
	n := uint64(b[0])
	if size == 4 {
		n = uint64(binary.LittleEndian.Uint32(b))
	}
	if b, err = m.take(n); err != nil {
		return err
	}
	return m.push(string(b))
}

func (m *machine) remember(code byte) error {
	key := uint32(len(m.memo))
	if code != 0x94 {
		size := uint64(1)
		if code == 'r' || code == 'j' {
			size = 4
		}
		b, err := m.take(size)
		if err != nil {
			return err
		}
		if key = uint32(b[0]); size == 4 {
			key = binary.LittleEndian.Uint32(b)
		}
	}
	if code == 'h' || code == 'j' {
		v, ok := m.memo[key]
		if !ok {
			return formatError("the pickle asks for its thing %d, which it has not made", key)
		}
		return m.push(v)
	}
	if len(m.stack) == 0 {
		return formatError("the pickle takes from an empty stack at byte %d", m.at)
	}
	if m.objects++; m.objects > MaxObjects {
		return formatError("the pickle makes more than %d things", MaxObjects)
	}
	m.memo[key] = m.stack[len(m.stack)-1]
	return nil
}

// fill adds to a list or a dict.
func (m *machine) fill(code byte) error {
	var items []any
	var err error
	switch code {
	case 'a', 's':
		n := map[byte]int{'a': 1, 's': 2}[code]
		if len(m.stack) < n {
			return formatError("the pickle takes from an empty stack at byte %d", m.at)
		}
		items = append(items, m.stack[len(m.stack)-n:]...)
		m.stack = m.stack[:len(m.stack)-n]
	default:
		if items, err = m.popMark(); err != nil {
			return err
		}
	}
	if len(m.stack) == 0 {
		return formatError("the pickle takes from an empty stack at byte %d", m.at)
	}
	switch to := m.stack[len(m.stack)-1].(type) {
	case *list:
		if code == 'a' || code == 'e' {
			to.items = append(to.items, items...)
			return nil
		}
	case *dict:
		if (code == 's' || code == 'u') && len(items)%2 == 0 {
			for i := 0; i < len(items); i += 2 {
				to.items = append(to.items, [2]any{items[i], items[i+1]})
			}
			return nil
		}
	}
	return formatError("the pickle fills what is no list and no dict at byte %d", m.at)
}

func (m *machine) global(code byte) error {
	var module, name string
	var err error
	if code == 'c' {
		if module, err = m.line(); err == nil {
			name, err = m.line()
		}
		if err != nil {
			return err
		}
	} else {
		b, errB := m.pop()
		a, errA := m.pop()
		var okA, okB bool
		module, okA = a.(string)
		name, okB = b.(string)
		if errA != nil || errB != nil || !okA || !okB {
			return formatError("the pickle names something without a name at byte %d", m.at)
		}
	}
	g := global(module + " " + name)
	_, isStorage := storageTypes[name]
	if !known[g] && !(module == "torch" && isStorage) {
		return formatError("the pickle uses %.100q, which describes no tensor: nothing of it is run; open the file with the program that wrote it and save the tensors alone, best as safetensors", module+"."+name)
	}
	return m.push(g)
}

// persistent opens a storage: ('storage', torch.FloatStorage, key, device, elements).
func (m *machine) persistent() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	id, _ := v.(tuple)
	if len(id) != 5 || id[0] != "storage" {
		return formatError("the pickle refers to something that is no storage at byte %d", m.at)
	}
	class, okClass := id[1].(global)
	key, okKey := id[2].(string)
	count, okCount := id[4].(int64)
	kind, known := storageTypes[strings.TrimPrefix(string(class), "torch ")]
	if !okClass || !okKey || !okCount || !known || count < 0 || count > math.MaxInt64/8 {
		return formatError("the pickle describes a storage as %.200v", id)
	}
	if s := m.storages[key]; s != nil {
		if s.dtype != kind.dtype || s.count != count {
			return formatError("storage %.100q is described in two ways", key)
		}
		return m.push(s)
	}
	data, err := m.open(key, count*int64(kind.size))
	if err != nil {
		return err
	}
	s := &storage{kind.dtype, kind.size, count, data}
	m.storages[key] = s
	return m.push(s)
}

// reduce calls one of the known names.
func (m *machine) reduce() error {
	a, errA := m.pop()
	f, errF := m.pop()
	args, ok := a.(tuple)
	g, isGlobal := f.(global)
	if errA != nil || errF != nil || !ok || !isGlobal {
		return formatError("the pickle calls what has no name at byte %d", m.at)
	}
	switch g {
	case "collections OrderedDict":
		if len(args) == 0 {
			return m.push(&dict{})
		}
	case "torch Size":
		if len(args) == 1 {
			if sizes, ok := args[0].(tuple); ok {
				return m.push(sizes)
			}
		}
	case "torch._utils _rebuild_parameter":
		if len(args) >= 1 {
			if t, ok := args[0].(*Tensor); ok {
				return m.push(t)
			}
		}
	case "torch._utils _rebuild_tensor_v2":
		if len(args) >= 6 {
			s, ok := args[0].(*storage)
			offset, okOffset := args[1].(int64)
			shape, okShape := integers(args[2])
			stride, okStride := integers(args[3])
			if ok && okOffset && okShape && okStride {
				t, err := newTensor(s, offset, shape, stride)
				if err != nil {
					return err
				}
				return m.push(t)
			}
		}
	}
	return formatError("the pickle calls %.100q with arguments that it does not take", g)
}

func integers(v any) ([]int64, bool) {
	items, ok := v.(tuple)
	if !ok || len(items) > MaxRank {
		return nil, false
	}
	out := make([]int64, len(items))
	for i, x := range items {
		if out[i], ok = x.(int64); !ok {
			return nil, false
		}
	}
	return out, true
}

// build takes what a dict's attributes are set to (torch keeps versions there), which
// has no meaning here.
func (m *machine) build() error {
	if _, err := m.pop(); err != nil {
		return err
	}
	if len(m.stack) > 0 {
		if _, ok := m.stack[len(m.stack)-1].(*dict); ok {
			return nil
		}
	}
	return formatError("the pickle sets attributes of what is no dict at byte %d", m.at)
}
