// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"

	"github.com/pulumi/pulumi/pkg/v3/backend"
	"github.com/pulumi/pulumi/pkg/v3/engine"
	pkgresource "github.com/pulumi/pulumi/pkg/v3/resource"
	"github.com/pulumi/pulumi/pkg/v3/resource/deploy"
	"github.com/pulumi/pulumi/pkg/v3/resource/stack"
	"github.com/pulumi/pulumi/pkg/v3/secrets/b64"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
)

// An engineJournal is written by the engine's own snapshot manager, which is told steps as the engine tells
// them: a refresh first, then every resource, then deletions; any of them interleaved, failed or left open.
type engineJournal struct {
	*world
	snapshot *deploy.Snapshot
	manager  *engine.JournalSnapshotManager
	recorder recorder
	open     []engineStep
	doomed   []*pkgresource.State // to be deleted at the end
}

type engineStep struct {
	mutation engine.SnapshotMutation
	step     deploy.Step
	done     func() // what the step's work changes in the states, when it succeeds
}

// A recorder is a journal that keeps what it is given as the command line would send it.
type recorder struct{ entries []*object }

func (r *recorder) AddJournalEntry(entry engine.JournalEntry) error {
	serialized, err := backend.SerializeJournalEntry(context.Background(), entry, config.Base64Crypter)
	if err != nil {
		return err
	}
	tree := treeOf(serialized).(*object)
	eachEntryResource(tree, unshield)
	r.entries = append(r.entries, tree)
	return nil
}

func (r *recorder) Close() error { return nil }

// registration stands for the program's request, which a step must have.
type registration struct{ deploy.SourceEvent }

func (registration) Goal() *pkgresource.Goal            { return nil }
func (registration) Done(*deploy.RegisterResult)        {}
func (registration) Extension() *apitype.Extension      { return nil }
func (registration) ExtensionRef() apitype.ExtensionRef { return "" }

type readRequest struct{ deploy.ReadResourceEvent }

func generateEngine(w *world) (base *object, entries []*object) {
	j := &engineJournal{world: w}
	j.makeBase()
	deployment, version, features, err := stack.SerializeDeploymentWithMetadata(context.Background(), j.snapshot, false)
	must(err)
	base = treeOf(apitype.TypedDeployment{Version: version, Features: features, Deployment: deployment}).(*object)
	eachResource(base.child("deployment"), unshield)

	j.manager, err = engine.NewJournalSnapshotManager(&j.recorder, j.snapshot, j.snapshot.SecretsManager)
	must(err)
	if w.chance(10) {
		must(j.manager.Write(j.snapshot))
	}
	if w.chance(25) {
		j.refreshAll()
	}
	j.program()
	j.deletions()
	for len(j.open) > 0 && w.chance(80) {
		j.endOne()
	}
	return base, j.recorder.entries
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (j *engineJournal) makeBase() {
	provider := apitype.ResourceV3{
		URN: "urn:pulumi:dev::shop::pulumi:providers:test::default", Type: "pulumi:providers:test", Custom: true, ID: "p1",
	}
	resources := []apitype.ResourceV3{{URN: rootURN, Type: resource.RootStackType}, provider}
	for range j.rng.IntN(12) {
		resources = append(resources, j.state(resources))
	}
	j.snapshot = &deploy.Snapshot{SecretsManager: b64.NewBase64SecretsManager()}
	for _, r := range resources {
		state := stateOf(r)
		state.ViewOf = "" // views have steps of their own
		j.snapshot.Resources = append(j.snapshot.Resources, state)
	}
}

func stateOf(r apitype.ResourceV3) *pkgresource.State {
	state, err := stack.DeserializeResource(copyOf(r), config.Base64Crypter)
	must(err)
	return state
}

// known are the live resources as a new state's references need them.
func (j *engineJournal) known() []apitype.ResourceV3 {
	var list []apitype.ResourceV3
	for _, state := range j.snapshot.Resources {
		if !state.Delete && !state.PendingReplacement {
			list = append(list, apitype.ResourceV3{URN: state.URN, Type: state.Type, ID: state.ID, Custom: state.Custom})
		}
	}
	return list
}

func (j *engineJournal) fresh() *pkgresource.State {
	state := stateOf(j.state(j.known()))
	state.ID, state.ViewOf, state.Delete, state.External = "", "", false, false
	state.PendingReplacement = false
	if j.chance(30) {
		state.Outputs["hidden"] = resource.MakeSecret(resource.NewProperty("a secret"))
	}
	return state
}

// next is the old state as the program now wants it.
func (j *engineJournal) next(old *pkgresource.State) *pkgresource.State {
	state := old.Copy()
	if j.chance(30) {
		state.Outputs = resource.PropertyMap{"changed": resource.NewProperty(pick(j.world, names))}
	}
	if j.chance(10) && state.Type != resource.RootStackType {
		state.URN = j.urn(state.Parent, state.Type)
		state.Aliases = append(slices.Clone(state.Aliases), old.URN)
	}
	return state
}

func (j *engineJournal) begin(step deploy.Step, done func()) {
	mutation, err := j.manager.BeginMutation(step)
	must(err)
	j.open = append(j.open, engineStep{mutation, step, done})
	for len(j.open) > 0 && j.chance(60) {
		j.endOne()
	}
}

func (j *engineJournal) endOne() {
	i := j.rng.IntN(len(j.open))
	open := j.open[i]
	j.open = slices.Delete(j.open, i, i+1)
	success := j.chance(88)
	if success && open.done != nil {
		open.done()
	}
	must(open.mutation.End(open.step, success))
	if success && open.step.New() != nil && open.step.Op() != deploy.OpRefresh && open.step.Op() != deploy.OpReplace &&
		j.chance(15) {
		open.step.New().Outputs = resource.PropertyMap{"registered": resource.NewProperty(pick(j.world, names))}
		must(j.manager.RegisterResourceOutputs(open.step))
	}
}
