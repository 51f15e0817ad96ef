// SPDX-License-Identifier: Apache-2.0

// Command replay makes random journals, replays each with the command line's own code and with the server's,
// and reports the first place where the results differ.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
)

type options struct {
	count, most   int
	seed          uint64
	tool, cases   string
	out           string
	integrity     bool
	verbose, keep bool
}

func main() {
	var o options
	// The command line's packages fill the default set with flags of their own.
	flags := flag.NewFlagSet("replay", flag.ExitOnError)
	flags.IntVar(&o.count, "n", 1000, "random journals to make")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of the first; each further one adds one")
	flags.StringVar(&o.tool, "tool", "", "the server's replay-tool (required)")
	flags.StringVar(&o.cases, "cases", "cases", "folder of the cases that are always run")
	flags.StringVar(&o.out, "out", "replay-differences", "folder for what differs")
	flags.IntVar(&o.most, "most", 10, "stop after so many differences")
	flags.BoolVar(&o.integrity, "integrity", true, "compare whether metadata.integrity_error is there")
	flags.BoolVar(&o.keep, "keep", false, "write differences as new cases into the folder of cases")
	flags.BoolVar(&o.verbose, "v", false, "name each case")
	_ = flags.Parse(os.Args[1:])
	if o.tool == "" {
		fmt.Fprintln(os.Stderr, "replay: -tool must name the server's replay-tool; make tests/replay/replay-tool builds it")
		os.Exit(2)
	}
	version.Version = "v3.259.0"

	r := &run{options: o}
	if err := r.all(); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.undefined)
	if r.failed > 0 {
		os.Exit(1)
	}
}

// randomCase is the journal of a seed; the seed alone decides everything.
func randomCase(seed uint64) replayCase {
	rng := rand.New(rand.NewPCG(seed, 0x7265706c6179))
	w := &world{rng: rng, wild: rng.IntN(4) == 0}
	var base *object
	var entries []*object
	if rng.IntN(3) == 0 {
		base, entries = generateEngine(w)
	} else {
		base, entries = generateFree(w)
	}
	if rng.IntN(10) == 0 && len(base.child("deployment").list("resources")) == 0 {
		base = nil
	}
	c := arrive(rng, base, entries)
	c.Name = fmt.Sprintf("seed-%d", seed)
	return c
}
