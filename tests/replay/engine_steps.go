// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	pkgresource "github.com/pulumi/pulumi/pkg/v3/resource"
	"github.com/pulumi/pulumi/pkg/v3/resource/deploy"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/promise"
	"github.com/pulumi/pulumi/sdk/v3/go/common/providers"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// usable says whether the engine would make a step of this state.
func usable(state *pkgresource.State) bool {
	return !state.Custom || state.ID != "" && (state.Provider != "" || providers.IsProviderType(state.Type))
}

// refreshAll refreshes some resources in place and makes the outcome the base, as the engine does.
func (j *engineJournal) refreshAll() {
	refreshed := map[*pkgresource.State]*pkgresource.State{}
	for _, old := range slices.Clone(j.snapshot.Resources) {
		refreshed[old] = old
		if old.Type == resource.RootStackType || !j.chance(60) {
			continue
		}
		if j.chance(25) {
			gone := deploy.NewViewStep(nil, deploy.OpRefresh, 0, "", old, nil, nil, nil, nil, "", false)
			j.begin(gone, func() { refreshed[old] = nil })
			continue
		}
		state := old.Copy()
		state.Outputs = resource.PropertyMap{"refreshed": resource.NewProperty(true)}
		j.begin(deploy.NewRefreshStep(nil, nil, old, nil, state), func() { refreshed[old] = state })
	}
	for len(j.open) > 0 {
		j.endOne()
	}
	var resources []*pkgresource.State
	for _, old := range j.snapshot.Resources {
		if refreshed[old] != nil {
			resources = append(resources, refreshed[old])
		}
	}
	j.snapshot.Resources = resources
	must(j.manager.RebuiltBaseState())
}

// program goes through the old resources and makes new ones between them.
func (j *engineJournal) program() {
	for _, old := range slices.Clone(j.snapshot.Resources) {
		if !usable(old) || old.Delete {
			continue
		}
		j.resource(old)
		if j.chance(20) {
			j.create()
		}
		if j.chance(4) {
			ref := apitype.ExtensionRef("extension-" + pick(j.world, []string{"1", "2"}))
			_, err := j.manager.BeginMutation(deploy.NewExtensionParameterizeStep(nil, nil, ref, j.extension(), nil))
			must(err)
		}
		if j.chance(2) {
			must(j.manager.SetSnippets([]resource.Snippet{{UUID: "u", Name: "n", Type: "test:index:Thing", Code: "x = 1"}}))
		}
	}
	for range j.rng.IntN(3) {
		j.create()
	}
}

func (j *engineJournal) resource(old *pkgresource.State) {
	switch n := j.rng.IntN(20); {
	case old.PendingReplacement && n < 10:
		j.begin(deploy.NewRemovePendingReplaceStep(nil, old), nil)
	case old.PendingReplacement:
		j.replace(old)
	case n < 8:
		state := j.goal(old)
		j.begin(deploy.NewSameStep(nil, registration{}, old, state), func() { state.ID = old.ID })
	case n < 11 && !old.External:
		state := j.goal(old)
		step := deploy.NewUpdateStep(nil, registration{}, old, state, nil, nil, nil, nil, nil)
		j.begin(step, func() { state.ID = old.ID })
	case n < 13 && !old.External:
		j.replace(old)
	case n < 14 && !old.External && !old.Protect:
		deletion := deploy.NewDeleteReplacementStep(nil, map[resource.URN]bool{}, old, true, nil)
		old.PendingReplacement = true
		j.begin(deletion, nil)
		if j.chance(70) {
			j.replace(old)
		}
	case n < 15 && old.Custom:
		state := j.next(old)
		state.External = true
		j.begin(deploy.NewReadStep(nil, readRequest{}, old, state), nil)
	case n < 17:
		j.persistedRefresh(old)
	default:
		j.doomed = append(j.doomed, old)
	}
}

// goal is the next state before its step has run: without the id.
func (j *engineJournal) goal(old *pkgresource.State) *pkgresource.State {
	state := j.next(old)
	state.ID = ""
	return state
}

func (j *engineJournal) create() {
	state := j.fresh()
	if !state.Custom || !providers.IsProviderType(state.Type) && state.Provider == "" {
		state.Custom, state.Provider = false, ""
	}
	if state.Custom && j.chance(10) {
		state.ImportID = "imported"
		j.begin(deploy.NewImportStep(nil, registration{}, state, nil, []byte{}, nil), func() { state.ID = "imported" })
		return
	}
	j.begin(deploy.NewCreateStep(nil, registration{}, state), func() {
		if state.Custom {
			state.ID = "created"
		}
	})
}

// replace creates the replacement; the old one is deleted at the end unless it is already.
func (j *engineJournal) replace(old *pkgresource.State) {
	state := j.next(old)
	state.ID, state.Delete, state.External, state.PendingReplacement = "", false, false, false
	step := deploy.NewCreateReplacementStep(nil, registration{}, old, state, nil, nil, nil, true)
	j.begin(step, func() {
		if state.Custom {
			state.ID = "replaced"
		}
		if !old.PendingReplacement {
			old.Delete = true
			j.doomed = append(j.doomed, old)
		}
	})
}

// persistedRefresh is the refresh of a resource that asks for one before each update.
func (j *engineJournal) persistedRefresh(old *pkgresource.State) {
	state := old.Copy()
	state.Outputs = resource.PropertyMap{"refreshed": resource.NewProperty(1.5)}
	cts := &promise.CompletionSource[*pkgresource.State]{}
	j.begin(deploy.NewRefreshStep(nil, cts, old, nil, state), nil)
}

func (j *engineJournal) deletions() {
	for len(j.open) > 0 {
		j.endOne()
	}
	for _, old := range slices.Backward(j.doomed) {
		switch {
		case old.Delete:
			j.begin(deploy.NewDeleteReplacementStep(nil, map[resource.URN]bool{}, old, false, nil), nil)
		case !old.Protect && !old.PendingReplacement:
			j.begin(deploy.NewDeleteStep(nil, map[resource.URN]bool{}, old, nil), nil)
		}
	}
}
