package optim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Config is the `optimizer` section of a run. The base learning rate is
// training.learning_rate, the bound of the gradient's norm training.grad_clip_norm.
type Config struct {
	// Name of the method: adamw (alias adamw_torch), sgd, or muon. Muon trains the matrices of hidden layers; embeddings,
	// head, biases and norm gains are AdamW's then.
	Name string `yaml:"name"`
	// WeightDecay is decoupled in adamw (each step multiplies a weight by 1 - learning rate * weight_decay) and added to
	// the gradient in sgd. Biases and norm gains are never decayed. Muon's matrices have muon.weight_decay.
	WeightDecay float64 `yaml:"weight_decay"`
	// Betas are the decay rates of AdamW's averages of the gradient and of its square, each in [0, 1).
	Betas []float64 `yaml:"betas"`
	// Eps is added to AdamW's denominator.
	Eps float64 `yaml:"eps"`
	// Momentum of sgd; 0 is plain gradient descent, which keeps no state.
	Momentum float64 `yaml:"momentum"`
	// Nesterov makes sgd look ahead by one momentum step. Needs momentum.
	Nesterov bool `yaml:"nesterov"`
	// LRScale multiplies the base learning rate of some parameters.
	LRScale LRScale `yaml:"lr_scale"`
	// Muon is what muon uses for the matrices of hidden layers.
	Muon MuonConfig `yaml:"muon"`
	// Schedule is the course of every learning rate over the run.
	Schedule ScheduleConfig `yaml:"schedule"`
}

// LRScale holds factors of the base learning rate. Matrices of hidden layers
// have the base rate itself (with muon: muon.learning_rate).
type LRScale struct {
	// Embedding is the factor for token and position tables.
	Embedding float64 `yaml:"embedding"`
	// Head is the factor for an untied output projection.
	Head float64 `yaml:"head"`
	// Vector is the factor for biases and norm gains.
	Vector float64 `yaml:"vector"`
}

// MuonConfig sets up Muon (Keller Jordan, 2024): momentum whose update is made
// orthogonal, one logical matrix at a time.
type MuonConfig struct {
	// LearningRate is Muon's own peak rate, in units of the orthogonal update; training.learning_rate does not touch it.
	LearningRate float64 `yaml:"learning_rate"`
	// Momentum of the averaged gradient, in [0, 1); Nesterov's form is always used.
	Momentum float64 `yaml:"momentum"`
	// MomentumWarmup is the number of steps over which the momentum rises in a line from 0.85 to muon.momentum; 0 is none.
	MomentumWarmup int `yaml:"momentum_warmup"`
	// Steps is the number of Newton-Schulz iterations that make an update orthogonal. 5 leaves singular values in 0.68..1.2.
	Steps int `yaml:"steps"`
	// WeightDecay is decoupled: each step multiplies a matrix by 1 - learning rate * weight_decay.
	WeightDecay float64 `yaml:"weight_decay"`
}

// ScheduleConfig describes the factor that the learning rates have at a step.
type ScheduleConfig struct {
	// Name: linear (falls from 1 to final_lr_scale), cosine (falls along half a cosine), constant, or trapezoid (stays at 1,
	// then falls in a line over the cool-down).
	Name string `yaml:"name"`
	// WarmupSteps is the number of steps over which the factor first rises in a line; 0 is none.
	WarmupSteps int `yaml:"warmup_steps"`
	// CooldownFraction is the trapezoid's cool-down as a share of the run, in [0, 1].
	CooldownFraction float64 `yaml:"cooldown_fraction"`
	// CooldownSteps is the trapezoid's cool-down in steps; 0 means cooldown_fraction decides.
	CooldownSteps int `yaml:"cooldown_steps"`
	// FinalLRScale is the factor that the fall ends at, in [0, 1].
	FinalLRScale float64 `yaml:"final_lr_scale"`
	// NumCycles is how often the cosine falls, starting again at 1 after each fall; 1 is the usual single fall.
	NumCycles float64 `yaml:"num_cycles"`
}

// Names lists the accepted values of Config.Name, aliases left out.
var Names = []string{"adamw", "muon", "sgd"}

// ScheduleNames lists the accepted values of ScheduleConfig.Name.
var ScheduleNames = []string{"constant", "cosine", "linear", "trapezoid"}

// aliases are names of the Python system.
var aliases = map[string]string{"adamw_torch": "adamw"}

// Canonical is the method's name with aliases resolved.
func Canonical(name string) string {
	if to, ok := aliases[name]; ok {
		return to
	}
	return name
}

// DefaultConfig holds the defaults of the Python system (AdamW as torch has it,
// a linear fall), and for Muon those of its author.
func DefaultConfig() Config {
	return Config{
		Name: "adamw", WeightDecay: 0.01, Betas: []float64{0.9, 0.999}, Eps: 1e-8, Momentum: 0.9,
		LRScale:  LRScale{Embedding: 1, Head: 1, Vector: 1},
		Muon:     MuonConfig{LearningRate: 0.02, Momentum: 0.95, MomentumWarmup: 300, Steps: 5},
		Schedule: ScheduleConfig{Name: "linear", CooldownFraction: 0.4, NumCycles: 1},
	}
}

// problems collects what is wrong with a configuration.
type problems []error

func (p *problems) add(key, format string, args ...any) {
	*p = append(*p, fmt.Errorf("optimizer.%s: %s", key, fmt.Sprintf(format, args...)))
}

// within demands least <= value <= most; NaN fails.
func (p *problems) within(key string, value, least, most float64) {
	if !(value >= least && value <= most) {
		p.add(key, "want %v..%v, got %v", least, most, value)
	}
}

// count demands a number of steps.
func (p *problems) count(key string, value int) {
	if value < 0 {
		p.add(key, "want 0 or above, got %d", value)
	}
}

// rate demands 0 <= value < 1; NaN fails.
func (p *problems) rate(key string, value float64) {
	if !(value >= 0 && value < 1) {
		p.add(key, "want 0 <= %s < 1, got %v", key[strings.LastIndex(key, ".")+1:], value)
	}
}

// Validate reports every problem of the configuration.
func (c Config) Validate() error {
	var p problems
	if !slices.Contains(Names, Canonical(c.Name)) {
		p.add("name", "want one of %s, got %q", strings.Join(Names, ", "), c.Name)
	}
	p.within("weight_decay", c.WeightDecay, 0, 10)
	if len(c.Betas) != 2 {
		p.add("betas", "want two numbers, such as [0.9, 0.999], got %d", len(c.Betas))
	} else {
		p.rate("betas[0]", c.Betas[0])
		p.rate("betas[1]", c.Betas[1])
	}
	if !(c.Eps >= 1e-30 && c.Eps <= 1) {
		p.add("eps", "want 1e-30..1, got %v", c.Eps)
	}
	p.rate("momentum", c.Momentum)
	if c.Nesterov && c.Momentum == 0 {
		p.add("nesterov", "needs momentum above 0: set momentum, or nesterov: false")
	}
	p.within("lr_scale.embedding", c.LRScale.Embedding, 0, 1e4)
	p.within("lr_scale.head", c.LRScale.Head, 0, 1e4)
	p.within("lr_scale.vector", c.LRScale.Vector, 0, 1e4)
	c.Muon.validate(&p)
	c.Schedule.validate(&p)
	return errors.Join(p...)
}

func (c MuonConfig) validate(p *problems) {
	if !(c.LearningRate > 0 && c.LearningRate <= 10) {
		p.add("muon.learning_rate", "want above 0 and at most 10, got %v", c.LearningRate)
	}
	p.rate("muon.momentum", c.Momentum)
	p.count("muon.momentum_warmup", c.MomentumWarmup)
	p.within("muon.steps", float64(c.Steps), 1, 20)
	p.within("muon.weight_decay", c.WeightDecay, 0, 10)
}

func (c ScheduleConfig) validate(p *problems) {
	if !slices.Contains(ScheduleNames, c.Name) {
		p.add("schedule.name", "want one of %s, got %q", strings.Join(ScheduleNames, ", "), c.Name)
	}
	p.count("schedule.warmup_steps", c.WarmupSteps)
	p.within("schedule.cooldown_fraction", c.CooldownFraction, 0, 1)
	p.count("schedule.cooldown_steps", c.CooldownSteps)
	p.within("schedule.final_lr_scale", c.FinalLRScale, 0, 1)
	if !(c.NumCycles > 0 && c.NumCycles <= 1e6) {
		p.add("schedule.num_cycles", "want above 0 and at most 1e6, got %v", c.NumCycles)
	}
}
