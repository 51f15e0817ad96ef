// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// A target is a resource that a step can work on: of the base (an index) or of this journal (an operation).
type target struct {
	old, new *int64
	state    apitype.ResourceV3
	gone     bool
}

// An openStep has begun; end makes the entry of its success.
type openStep struct {
	operation int64
	refresh   bool
	end       func(*apitype.JournalEntry)
}

// A freeJournal is made entry by entry, any step on any resource at any time.
type freeJournal struct {
	*world
	base      apitype.TypedDeployment
	entries   []*object
	targets   []*target
	open      []openStep
	operation int64
	refused   bool // the library refuses what there is: nothing can follow
}

func generateFree(w *world) (base *object, entries []*object) {
	j := &freeJournal{world: w, base: w.base()}
	j.rebase(j.base.Deployment.Resources)

	j.secretsManager()
	if w.chance(10) {
		j.write()
	}
	steps := w.rng.IntN(25)
	if w.chance(3) {
		steps = 300
	}
	for range steps {
		if !j.refused {
			j.step()
		}
	}
	if w.chance(60) { // the others were interrupted
		for len(j.open) > 0 && !j.refused {
			j.finish()
		}
	}
	if w.chance(10) && !j.refused {
		j.rebuilt()
	}
	return treeOf(j.base).(*object), j.entries
}

func (j *freeJournal) rebase(resources []apitype.ResourceV3) {
	j.targets = nil
	for i, state := range resources {
		index := int64(i)
		j.targets = append(j.targets, &target{old: &index, state: state})
	}
}

func (j *freeJournal) add(entry apitype.JournalEntry) {
	entry.Version = 1
	entry.SequenceID = int64(len(j.entries) + 1)
	entry.RequiresByteString = j.chance(1)
	tree := treeOf(entry).(*object)
	eachEntryResource(tree, unshield)
	j.entries = append(j.entries, tree)
}

func (j *freeJournal) step() {
	switch n := j.rng.IntN(100); {
	case n < 30 && len(j.open) > 0:
		j.finish()
	case n < 85:
		j.begin()
	case n < 92:
		j.outputs()
	case n < 94:
		ref, extension := apitype.ExtensionRef("extension-"+pick(j.world, []string{"1", "2"})), j.extension()
		j.add(apitype.JournalEntry{
			Kind: apitype.JournalEntryKindExtensionParameterize, OperationID: j.next(), ExtensionRef: &ref, Extension: &extension,
		})
	case n < 95:
		entry := apitype.JournalEntry{Kind: apitype.JournalEntryKindSnippets}
		if j.chance(70) {
			entry.Snippets = j.snippets(j.states())
		}
		j.add(entry)
	case n < 97 && j.chance(50):
		j.rebuilt()
	}
}

func (j *freeJournal) next() int64 {
	j.operation++
	return j.operation
}

func (j *freeJournal) states() []apitype.ResourceV3 {
	var states []apitype.ResourceV3
	for _, t := range j.targets {
		if !t.gone {
			states = append(states, t.state)
		}
	}
	return states
}

func (j *freeJournal) target() *target {
	var list []*target
	for _, t := range j.targets {
		if !t.gone || j.wild {
			list = append(list, t)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return pick(j.world, list)
}

func (j *freeJournal) secretsManager() {
	name := "one"
	if j.chance(20) {
		name = "two"
	}
	j.add(apitype.JournalEntry{Kind: apitype.JournalEntryKindSecretsManager, SecretsProvider: secretsProvider(name)})
}

// write replaces the base: some of its resources changed, none or all aliases settled.
func (j *freeJournal) write() {
	base := *j.base.Deployment
	base.Resources = slices.Clone(base.Resources)
	for i := range base.Resources {
		if j.chance(30) {
			base.Resources[i].Outputs = j.properties(3)
		}
	}
	if len(base.Resources) > 0 && j.chance(30) {
		base.Resources = base.Resources[:len(base.Resources)-1]
	}
	if j.chance(30) {
		base.Resources = append(base.Resources, j.state(base.Resources))
	}
	j.add(apitype.JournalEntry{Kind: apitype.JournalEntryKindWrite, NewSnapshot: &base})
	j.rebase(base.Resources)
}

// rebuilt makes what there is so far the base; the library says what that is.
func (j *freeJournal) rebuilt() {
	j.add(apitype.JournalEntry{Kind: apitype.JournalEntryKindRebuiltBaseState})
	c := plainCase(treeOf(j.base).(*object), j.entries)
	base, err := libraryBase(c.Base)
	if err != nil {
		panic(err)
	}
	entries, err := libraryEntries(c.Batches)
	if err != nil {
		panic(err)
	}
	deployment := func() *apitype.TypedDeployment {
		defer func() { _ = recover() }()
		deployment, _ := replay(base, entries)
		return deployment
	}()
	if deployment == nil {
		j.refused = true
		return
	}
	j.rebase(deployment.Deployment.Resources)
}

func (j *freeJournal) outputs() {
	t := j.target()
	if t == nil {
		return
	}
	state := copyOf(t.state)
	state.Outputs = j.properties(4)
	t.state = state
	j.add(apitype.JournalEntry{
		Kind: apitype.JournalEntryKindOutputs, OperationID: j.next(), State: &state, RemoveOld: t.old, RemoveNew: t.new,
	})
}

// finish ends a random open step, in success or failure.
func (j *freeJournal) finish() {
	i := j.rng.IntN(len(j.open))
	step := j.open[i]
	j.open = slices.Delete(j.open, i, i+1)

	entry := apitype.JournalEntry{Kind: apitype.JournalEntryKindSuccess, OperationID: step.operation, IsRefresh: step.refresh}
	if j.chance(20) {
		entry.Kind = apitype.JournalEntryKindFailure
		if t := j.target(); t != nil && j.chance(50) { // members that a failure does not count
			state := copyOf(t.state)
			entry.State, entry.RemoveOld, entry.RemoveNew, entry.DeleteOld = &state, t.old, t.new, t.old
		}
		j.add(entry)
		return
	}
	step.end(&entry)
	j.add(entry)
}

// lives makes the entry's state a resource that later steps can work on.
func (j *freeJournal) lives(entry *apitype.JournalEntry, state apitype.ResourceV3) {
	entry.State = &state
	operation := entry.OperationID
	j.targets = append(j.targets, &target{new: &operation, state: state})
}

func copyOf(state apitype.ResourceV3) apitype.ResourceV3 {
	text, err := json.Marshal(state)
	if err != nil {
		panic(err)
	}
	tree, err := parse(text)
	if err != nil {
		panic(err)
	}
	shield(tree.(*object))
	var copied apitype.ResourceV3
	if err := json.Unmarshal(style{}.print(tree), &copied); err != nil {
		panic(err)
	}
	return copied
}

// renamed gives the state a new URN and the old one as its alias.
func (j *freeJournal) renamed(state apitype.ResourceV3) apitype.ResourceV3 {
	old := state.URN
	if j.chance(50) && state.Type != resource.RootStackType {
		if known := urns(j.states()); len(known) > 0 {
			state.Parent = pick(j.world, known)
		}
	}
	state.URN = j.urn(state.Parent, state.Type)
	state.Aliases = append(slices.Clone(state.Aliases), old)
	if j.chance(20) {
		state.Aliases = append(state.Aliases, old, j.urn("", state.Type))
	}
	if j.wild && j.chance(5) {
		if known := urns(j.states()); len(known) > 0 {
			state.Aliases = append(state.Aliases, pick(j.world, known))
		}
	}
	return state
}
