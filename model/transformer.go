package model

import (
	"fmt"

	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/tensor"
)

// Transformer is a decoder-only model made of Blocks, as its Config says.
type Transformer struct {
	cfg       Config
	params    []*nn.Param
	recompute Recompute

	Embedding *nn.Embedding
	EmbedNorm *nn.Norm // or nil
	Blocks    []*Block
	Norm      *nn.Norm
	Head      *nn.Head

	decode decodeBatch
}

// decodeBatch is what decoding keeps between calls.
type decodeBatch struct {
	batch  nn.Batch
	caches []*nn.Cache
	states [1]*State
	tokens [1][]int32
}

// State is a document that is being decoded.
type State struct {
	Caches []*nn.Cache // per block
}

// Len is the number of positions so far.
func (s *State) Len() int { return s.Caches[0].Len }

// Truncate forgets the positions from n on.
func (s *State) Truncate(n int) {
	for _, x := range s.Caches {
		x.Truncate(n)
	}
}

// NewTransformer builds a model from a validated configuration. Its parameters have
// shapes and no storage yet.
func NewTransformer(cfg Config) *Transformer {
	t := &Transformer{cfg: cfg}
	tokens := t.param("embed.weight", nn.GroupEmbedding, cfg.VocabSize, cfg.DModel)
	var positions *nn.Param
	if cfg.RotaryTheta == 0 {
		positions = t.param("positions.weight", nn.GroupEmbedding, cfg.MaxSeqLen, cfg.DModel)
	}
	t.Embedding = nn.NewEmbedding(tokens, positions, cfg.TieEmbeddings)
	t.Embedding.Drop, t.Embedding.Scale = nn.NewDropout(cfg.Dropout, 0), float32(cfg.EmbedScale)
	if cfg.EmbedNorm {
		t.EmbedNorm = t.norm("embed.norm")
	}
	global, local := rotaries(cfg)
	for i := range cfg.NLayers {
		if cfg.Sliding(i) {
			t.Blocks = append(t.Blocks, t.block(i, local))
		} else {
			t.Blocks = append(t.Blocks, t.block(i, global))
		}
	}
	t.Norm = t.norm("norm")
	head := tokens
	if !cfg.TieEmbeddings {
		head = t.param("head.weight", nn.GroupHead, cfg.VocabSize, cfg.DModel)
	}
	t.Head = nn.NewHead(head, float32(cfg.LogitSoftcap))
	return t
}

func (t *Transformer) block(i int, rotary *nn.Rotary) *Block {
	cfg, name := t.cfg, fmt.Sprintf("layers.%d.", i)
	h, k, d := cfg.NHeads, cfg.KVHeads(), cfg.HeadDim()
	b := &Block{Norm1: t.norm(name + "norm1")}
	b.QKV = t.linear(name+"attn.qkv", (h+2*k)*d, cfg.DModel, cfg.QKVBias)
	b.QKV.Weight.Parts = []int{h * d, k * d, k * d}
	b.Prep = nn.NewHeadPrep(h, k, d)
	b.Prep.Rotary, b.Prep.Norm, b.Prep.Eps = rotary, cfg.QKNorm, float32(cfg.LayerNormEps)
	if cfg.QKNorm && cfg.NormGain {
		b.Prep.QGain, b.Prep.KGain = t.param(name+"attn.q_norm.weight", nn.GroupVector, d), t.param(name+"attn.k_norm.weight", nn.GroupVector, d)
	}
	b.Attention = nn.NewAttention(h, k, d)
	b.Attention.Softcap = float32(cfg.AttnSoftcap)
	if cfg.AttnScale > 0 {
		b.Attention.Scale = float32(cfg.AttnScale)
	}
	if cfg.Sliding(i) {
		b.Attention.Window = cfg.SlidingWindow
	}
	b.Out = t.linear(name+"attn.out", cfg.DModel, h*d, cfg.AttnOutBias)
	if cfg.PostNorms {
		b.Post1 = t.norm(name + "post1")
	}
	b.Norm2 = t.norm(name + "norm2")
	b.Act = nn.NewActivation(cfg.Activation, cfg.FFN())
	b.Up = t.linear(name+"mlp.up", b.Act.Inputs(), cfg.DModel, cfg.MLPBias)
	if cfg.Gated() {
		b.Up.Weight.Parts = []int{cfg.FFN(), cfg.FFN()}
	}
	b.Down = t.linear(name+"mlp.down", cfg.DModel, cfg.FFN(), cfg.MLPBias)
	drop1, drop2 := nn.NewDropout(cfg.Dropout, uint64(2*i+1)), nn.NewDropout(cfg.Dropout, uint64(2*i+2))
	if cfg.PostNorms {
		b.Post2 = t.norm(name + "post2")
		b.Post1.Drop, b.Post2.Drop = drop1, drop2
	} else {
		b.Out.Drop, b.Down.Drop = drop1, drop2
	}
	return b
}

func (t *Transformer) param(name string, group nn.Group, shape ...int) *nn.Param {
	p := &nn.Param{Name: name, Shape: shape, Group: group}
	t.params = append(t.params, p)
	return p
}

func (t *Transformer) linear(name string, out, in int, bias bool) *nn.Linear {
	weight := t.param(name+".weight", nn.GroupMatrix, out, in)
	if !t.cfg.Bias && !bias {
		return nn.NewLinear(weight, nil)
	}
	return nn.NewLinear(weight, t.param(name+".bias", nn.GroupVector, out))
}

func (t *Transformer) norm(name string) *nn.Norm {
	var gain, bias *nn.Param
	rms := t.cfg.Norm == "rmsnorm"
	if t.cfg.NormGain {
		gain = t.param(name+".weight", nn.GroupVector, t.cfg.DModel)
		if t.cfg.Bias && !rms {
			bias = t.param(name+".bias", nn.GroupVector, t.cfg.DModel)
		}
	}
	return nn.NewNorm(t.cfg.DModel, rms, float32(t.cfg.LayerNormEps), gain, bias)
}

// Config implements Model.
func (t *Transformer) Config() Config { return t.cfg }

// Params implements Model.
func (t *Transformer) Params() []*nn.Param { return t.params }

// SetRecompute implements Model.
func (t *Transformer) SetRecompute(r Recompute) { t.recompute = r }

// Loss implements Model.
func (t *Transformer) Loss(c *nn.Context, losses []float32, coef float32, gradients bool) {
	recompute := t.recompute
	if !gradients {
		recompute = RecomputeBlock // keeps nothing
	}
	h := t.hidden(c, recompute)
	var d, dh tensor.Tensor
	temp := c.Temp.Mark()
	if gradients {
		d, dh = c.Temp.New(tensor.F32, h.Rows, h.Cols), c.Temp.New(tensor.F32, h.Rows, h.Cols)
	}
	t.Head.Loss(c, losses, dh, h, c.Batch.Targets, coef)
	if gradients {
		t.Norm.Backward(c, d, dh, false)
		for i := len(t.Blocks) - 1; i >= 0; i-- {
			t.Blocks[i].Backward(c, d)
		}
		if t.EmbedNorm != nil {
			t.EmbedNorm.Backward(c, dh, d, false)
			d = dh
		}
		t.Embedding.Backward(c, d)
	}
	c.Temp.Release(temp)
}

// hidden is the forward pass up to the head's input, N x C in the compute type.
func (t *Transformer) hidden(c *nn.Context, recompute Recompute) tensor.Tensor {
	c.Saved.Reset()
	n := c.Batch.Slots()
	x := t.embed(c, n)
	for _, b := range t.Blocks {
		out := c.Saved.New(tensor.F32, n, t.cfg.DModel)
		b.Forward(c, out, x, recompute)
		x = out
	}
	h := c.Saved.New(c.DType, n, t.cfg.DModel)
	t.Norm.Forward(c, h, x)
	return h
}

func (t *Transformer) embed(c *nn.Context, n int) tensor.Tensor {
	x := c.Saved.New(tensor.F32, n, t.cfg.DModel)
	t.Embedding.Forward(c, x)
	if t.EmbedNorm == nil {
		return x
	}
	normed := c.Saved.New(tensor.F32, n, t.cfg.DModel)
	t.EmbedNorm.Forward(c, normed, x)
	return normed
}

// FinishGrads implements Model.
func (t *Transformer) FinishGrads(c *nn.Context) {
	t.Embedding.FinishGrad(c)
	for _, p := range t.params {
		p.FinishGrad()
	}
}

// Logits implements Model.
func (t *Transformer) Logits(c *nn.Context, out tensor.Tensor) {
	t.Head.Logits(c, out, t.hidden(c, RecomputeBlock))
}

// NewState implements Model.
func (t *Transformer) NewState(dtype tensor.DType, capacity int) *State {
	s := &State{}
	for range t.Blocks {
		s.Caches = append(s.Caches, nn.NewCache(dtype, capacity, t.cfg.KVHeads()*t.cfg.HeadDim()))
	}
	return s
}

// Decode implements Model.
func (t *Transformer) Decode(c *nn.Context, s *State, tokens []int32, logits []float32) {
	d := &t.decode
	d.states[0], d.tokens[0] = s, tokens
	t.DecodeBatch(c, d.states[:], d.tokens[:], tensor.FromF32(logits, 1, t.cfg.VocabSize))
}

// DecodeBatch implements Model.
func (t *Transformer) DecodeBatch(c *nn.Context, states []*State, tokens [][]int32, logits tensor.Tensor) {
	d := &t.decode
	n := d.fill(tokens)
	c.Train = false
	c.SetBatch(&d.batch)
	for i, s := range d.batch.Segments {
		start := int32(states[i].Len())
		for j := range s.Len {
			c.Positions[s.Start+j] += start
		}
	}
	c.Saved.Reset()
	x := t.embed(c, n)
	y := c.Saved.New(tensor.F32, n, t.cfg.DModel)
	for i, b := range t.Blocks {
		d.caches = d.caches[:0]
		for _, s := range states {
			d.caches = append(d.caches, s.Caches[i])
		}
		mark := c.Saved.Mark()
		b.Cached(c, y, x, d.caches)
		c.Saved.Release(mark)
		x, y = y, x
	}
	last := c.Saved.New(tensor.F32, len(states), t.cfg.DModel)
	for i, s := range d.batch.Segments {
		end := int(s.Start + s.Len)
		copy(last.F32[i*last.Cols:(i+1)*last.Cols], x.F32[(end-1)*x.Cols:end*x.Cols])
	}
	h := c.Saved.New(c.DType, len(states), t.cfg.DModel)
	t.Norm.Forward(c, h, last)
	t.Head.Logits(c, logits, h)
}

// fill makes the batch of several documents' tokens, one segment each, and returns
// the number of slots.
func (d *decodeBatch) fill(tokens [][]int32) int {
	b := &d.batch
	b.Tokens, b.Segments, b.Samples = b.Tokens[:0], b.Segments[:0], append(b.Samples[:0], 0)
	for _, x := range tokens {
		b.Segments = append(b.Segments, nn.Segment{Start: int32(len(b.Tokens)), Len: int32(len(x))})
		b.Tokens = append(b.Tokens, x...)
	}
	b.Rows, b.SeqLen = 1, len(b.Tokens)
	return len(b.Tokens)
}
