// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A run goes through the kept cases, then through the random ones.
type run struct {
	options
	tool                      *tool
	passed, failed, undefined int
}

var errStop = errors.New("too many differences")

func (r *run) all() (err error) {
	if r.tool, err = startTool(r.options.tool); err != nil {
		return err
	}
	defer func() { r.tool.stop() }()

	kept, err := keptCases(r.cases)
	if err != nil {
		return err
	}
	for _, c := range kept {
		if err := r.one(c); err != nil {
			return ignoreStop(err)
		}
	}
	for i := range r.count {
		if err := r.one(randomCase(r.seed + uint64(i))); err != nil {
			return ignoreStop(err)
		}
	}
	return nil
}

func ignoreStop(err error) error {
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

func (r *run) one(c replayCase) error {
	if r.verbose {
		fmt.Fprintln(os.Stderr, c.Name)
	}
	found, undefined, err := r.differs(c)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", c.Name, err)
	case found == "" && undefined:
		r.undefined++
	case found == "":
		r.passed++
	default:
		return r.report(c, found)
	}
	return nil
}

// differs compares both replays of a case. err says that the case itself is broken.
func (r *run) differs(c replayCase) (found string, undefined bool, err error) {
	want, err := library(c)
	if err != nil {
		return "", false, err
	}
	got, refusal, err := r.tool.answer(c)
	if err != nil {
		r.tool.stop()
		if r.tool, err = startTool(r.options.tool); err != nil {
			return "", false, err
		}
		return "the tool broke", false, nil
	}
	switch {
	case want.undefined != "":
		return "", true, nil
	case want.refusal != nil && refusal == "" && !admits(got):
		return "want the reason in metadata.integrity_error: " + want.refusal.Error(), false, nil
	case want.refusal != nil:
		return "", false, nil
	case refusal != "":
		return "want a document, got the refusal: " + refusal, false, nil
	}
	return difference(want.document, got, r.integrity), false, nil
}

// admits says whether the document records a problem. Where the command line's library gives up, the
// server must not lose what it acknowledged: it keeps the resources as they are and says why.
func admits(document *object) bool {
	deployment := document.child("deployment")
	if deployment == nil {
		return false
	}
	metadata := deployment.child("metadata")
	if metadata == nil {
		return false
	}
	_, found := metadata.get("integrity_error")
	return found
}

// saysBroken says whether the document confesses that it is. A server that cannot refuse what it has already
// acknowledged keeps it so.
func saysBroken(document *object) bool {
	deployment := document.child("deployment")
	return deployment != nil && deployment.child("metadata") != nil &&
		deployment.child("metadata").child("integrity_error") != nil
}

// report makes the case as small as it can, writes it down and says where to look.
func (r *run) report(c replayCase, found string) error {
	r.failed++
	small := r.shrink(c)
	if again, _, err := r.differs(small); err == nil && again != "" {
		found = again
	} else {
		small = c
	}
	folder := filepath.Join(r.out, c.Name)
	if err := r.write(folder, small, found); err != nil {
		return err
	}
	fmt.Printf("%s differs at %s\n  written to %s\n", c.Name, found, folder)
	if r.keep {
		if err := keepCase(r.cases, small); err != nil {
			return err
		}
	}
	if r.failed >= r.most {
		return errStop
	}
	return nil
}

func (r *run) write(folder string, c replayCase, found string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	files := map[string][]byte{"base.json": c.Base, "difference.txt": []byte(found + "\n")}
	for i, batch := range c.Batches {
		files[fmt.Sprintf("batch-%03d.json", i)] = batch
	}
	if want, err := library(c); err == nil && want.document != nil {
		files["want.json"] = style{}.print(want.document)
	}
	if got, _, err := r.tool.answer(c); err == nil && got != nil {
		files["got.json"] = style{}.print(got)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// shrink takes away entries, largest pieces first, as long as the results still differ.
func (r *run) shrink(c replayCase) replayCase {
	still := func(smaller replayCase) bool {
		found, _, err := r.differs(smaller)
		return err == nil && found != "" && found != "the tool broke"
	}
	trees, err := entryTrees(c.Batches)
	if err != nil || !still(rebatch(c, trees)) {
		return c
	}
	for size := len(trees) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(trees); {
			fewer := append(append([]*object{}, trees[:at]...), trees[at+size:]...)
			if still(rebatch(c, fewer)) {
				trees = fewer
			} else {
				at += size
			}
		}
	}
	return rebatch(c, trees)
}

func rebatch(c replayCase, trees []*object) replayCase {
	return replayCase{Name: c.Name, Base: c.Base, Batches: [][]byte{batchText(style{}, trees)}}
}

// A kept case is a file of JSON: the texts of a case as strings, so that their spelling is kept too.
type keptCase struct {
	Why     string   `json:"why,omitempty"`
	Base    string   `json:"base"`
	Batches []string `json:"batches"`
}

func keptCases(folder string) ([]replayCase, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	var cases []replayCase
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var kept keptCase
		if err := json.Unmarshal(text, &kept); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		c := replayCase{Name: strings.TrimSuffix(filepath.Base(path), ".json"), Base: []byte(kept.Base)}
		for _, batch := range kept.Batches {
			c.Batches = append(c.Batches, []byte(batch))
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func keepCase(folder string, c replayCase) error {
	kept := keptCase{Base: string(c.Base)}
	for _, batch := range c.Batches {
		kept.Batches = append(kept.Batches, string(batch))
	}
	text, err := json.MarshalIndent(kept, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, c.Name+".json"), append(text, '\n'), 0o644)
}
