// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// A world makes random resources of one stack. Wild worlds also make what an engine would not: references
// to nothing, marks on what is gone.
type world struct {
	rng  *rand.Rand
	wild bool
	made int
}

var (
	rootURN = resource.URN("urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev")
	names   = []string{
		"a", "b", "web::x::y", `quo"te`, `back\slash`, "über", "日本", "smile😀", "<html>&amp;", "tab\there", "$dollar", "a b",
		"line\u2028sep", "nul\u0001", "/slash/", "'", "name" + strings.Repeat("-long", 20),
	}
	types = []tokens.Type{"test:index:Thing", "aws:s3/bucket:Bucket", "pulumi:pulumi:StackReference", "my:index:Component"}
)

func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

func pick[T any](w *world, list []T) T { return list[w.rng.IntN(len(list))] }

// urn is a new one under the parent.
func (w *world) urn(parent resource.URN, kind tokens.Type) resource.URN {
	w.made++
	name := fmt.Sprintf("%s%d", pick(w, names), w.made)
	parentType := tokens.Type("")
	if parent != "" && parent.QualifiedType() != resource.RootStackType {
		parentType = parent.QualifiedType()
	}
	return resource.NewURN("dev", "shop", parentType, kind, name)
}

func urns(resources []apitype.ResourceV3) []resource.URN {
	list := make([]resource.URN, len(resources))
	for i := range resources {
		list[i] = resources[i].URN
	}
	return list
}

// state is a new resource that may refer to those before it.
func (w *world) state(before []apitype.ResourceV3) apitype.ResourceV3 {
	known := urns(before)
	if w.wild && w.chance(20) {
		known = append(known, "urn:pulumi:dev::shop::test:index:Thing::nowhere")
	}
	state := apitype.ResourceV3{Type: pick(w, types), Custom: true, ID: resource.ID(fmt.Sprintf("id-%d", w.rng.IntN(1000)))}
	switch {
	case w.chance(8):
		state.Type = tokens.Type("pulumi:providers:" + pick(w, []string{"test", "aws"}))
	case state.Type == "my:index:Component":
		state.Custom, state.ID = false, ""
	}
	if len(known) > 0 && w.chance(70) {
		state.Parent = pick(w, known)
	}
	state.URN = w.urn(state.Parent, state.Type)
	w.refer(&state, known)
	w.fill(&state)
	if state.Custom {
		state.Provider = w.provider(before)
	}
	return state
}

func (w *world) provider(before []apitype.ResourceV3) string {
	var references []string
	for _, r := range before {
		if strings.HasPrefix(string(r.Type), "pulumi:providers:") && r.ID != "" {
			references = append(references, string(r.URN)+"::"+string(r.ID))
		}
	}
	if len(references) == 0 {
		return ""
	}
	return pick(w, references)
}

// refer gives a state dependencies of every sort.
func (w *world) refer(state *apitype.ResourceV3, known []resource.URN) {
	if len(known) == 0 {
		return
	}
	some := func() (list []resource.URN) {
		for range 1 + w.rng.IntN(3) {
			list = append(list, pick(w, known))
		}
		return list
	}
	if w.chance(40) {
		state.Dependencies = some()
	}
	if w.chance(30) {
		state.PropertyDependencies = map[resource.PropertyKey][]resource.URN{"value": some()}
		if w.chance(30) {
			state.PropertyDependencies["empty"] = []resource.URN{}
		}
		if w.chance(30) {
			state.PropertyDependencies[resource.PropertyKey(pick(w, names))] = some()
		}
	}
	if w.chance(10) {
		state.DeletedWith = pick(w, known)
	}
	if w.chance(10) {
		state.ReplaceWith = some()
	}
	if w.chance(5) {
		state.ViewOf = pick(w, known)
	}
}

// fill gives a state the members that replay only carries along.
func (w *world) fill(state *apitype.ResourceV3) {
	if w.chance(90) {
		state.Inputs = w.properties(2)
	}
	if w.chance(80) {
		state.Outputs = w.properties(3)
	}
	state.Protect = w.chance(10)
	state.Taint = w.chance(4)
	state.External = w.chance(5)
	state.RetainOnDelete = w.chance(5)
	state.RefreshBeforeUpdate = w.chance(4)
	if w.chance(5) {
		state.InitErrors = []string{"it did not start: \"why\""}
	}
	if w.chance(5) {
		state.ResourceHooks = map[resource.HookType][]string{resource.BeforeCreate: {"hook"}}
	}
	if w.chance(4) {
		state.ExtensionRef = "extension-1"
	}
	if w.chance(4) {
		state.SnippetID = "6b0f3a9e-0000-4000-8000-000000000001"
	}
	if w.chance(30) {
		now := time.Date(2026, 8, 21, 10, w.rng.IntN(60), w.rng.IntN(60), w.rng.IntN(1e9), time.UTC)
		state.Created, state.Modified = &now, &now
	}
	if w.chance(10) {
		state.CustomTimeouts = &resource.CustomTimeouts{Create: 300, Delete: 0.5}
	}
	if w.chance(10) {
		state.SourcePosition = "project:///Pulumi.yaml#3,5"
		state.StackTrace = []apitype.StackFrameV1{{SourcePosition: "project:///x#1"}}
	}
	if w.chance(5) {
		state.IgnoreChanges, state.ReplaceOnChanges = []string{"a.b[0]"}, []string{"*"}
		state.AdditionalSecretOutputs = []resource.PropertyKey{"hidden"}
	}
	if w.chance(4) {
		state.ReplacementTrigger = w.property(1)
	}
	if w.chance(3) {
		state.ImportID = "imported-1"
	}
	if w.chance(3) {
		state.Delete = true
	} else if w.chance(3) {
		state.PendingReplacement = true
	}
}

func (w *world) properties(most int) map[string]any {
	properties := map[string]any{}
	for range w.rng.IntN(most + 1) {
		properties[pick(w, names)] = w.property(0)
	}
	return properties
}

// property is a value of any shape; its numbers have spellings that a float would lose.
func (w *world) property(depth int) any {
	switch n := w.rng.IntN(10); {
	case n < 3:
		return pick(w, names)
	case n < 5:
		return json.Number(pick(w, []string{
			"0", "-0", "1", "1.0", "1.50", "1e5", "1E+05", "12345678901234567890123", "0.1000000000000000055", "-1e-400",
			"1e999", "9007199254740993",
		}))
	case n == 5:
		return w.chance(50)
	case n == 6:
		return nil
	case n == 7:
		return map[string]any{
			"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
			"ciphertext":                       "IkErL2Ii",
		}
	case depth > 3:
		return ""
	case n == 8:
		return []any{w.property(depth + 1), w.property(depth + 1)}
	}
	return map[string]any{"inner": w.property(depth + 1), "urn": string(rootURN), "delete": true, "": "}]{[\"\\"}
}

// base is a document to start from; a third of the worlds are empty.
func (w *world) base() apitype.TypedDeployment {
	deployment := &apitype.DeploymentV3{}
	if w.chance(80) {
		deployment.SecretsProviders = secretsProvider("one")
	}
	count := w.rng.IntN(10)
	if w.chance(3) {
		count = 100 + w.rng.IntN(200)
	}
	if count > 0 && w.chance(80) {
		deployment.Resources = append(deployment.Resources,
			apitype.ResourceV3{URN: rootURN, Type: resource.RootStackType, Outputs: w.properties(2)})
	}
	for range count {
		deployment.Resources = append(deployment.Resources, w.state(deployment.Resources))
	}
	if w.chance(20) && count > 0 {
		deployment.PendingOperations = append(deployment.PendingOperations,
			apitype.OperationV2{Resource: w.state(deployment.Resources), Type: apitype.OperationTypeCreating},
			apitype.OperationV2{Resource: w.state(deployment.Resources), Type: apitype.OperationTypeDeleting})
	}
	if w.chance(5) {
		deployment.Snippets = w.snippets(deployment.Resources)
	}
	if w.chance(5) {
		deployment.Extensions = map[apitype.ExtensionRef]apitype.Extension{"extension-1": w.extension()}
	}
	if w.chance(5) {
		deployment.Metadata.IntegrityErrorMetadata = &apitype.SnapshotIntegrityErrorMetadataV1{Error: "was broken"}
	}
	return apitype.TypedDeployment{Version: 3, Deployment: deployment}
}

func secretsProvider(name string) *apitype.SecretsProvidersV1 {
	return &apitype.SecretsProvidersV1{
		Type:  "service",
		State: json.RawMessage(`{"url":"http://localhost:8080","owner":"acme","project":"shop","stack":"` + name + `"}`),
	}
}

func (w *world) snippets(before []apitype.ResourceV3) []apitype.SnippetV1 {
	snippet := apitype.SnippetV1{
		UUID: "6b0f3a9e-0000-4000-8000-000000000001", Name: "s", Type: "test:index:Thing", Code: "value = \"<x>\"\n",
		Descriptor: apitype.PackageDescriptorV1{Name: "test"},
	}
	if len(before) > 0 {
		snippet.References = map[string]string{"r": string(pick(w, urns(before))), "other": "urn:pulumi:none"}
	}
	return []apitype.SnippetV1{snippet}
}

func (w *world) extension() apitype.Extension {
	return apitype.Extension{Name: "ext", Version: "1.2.3", Value: []byte{0, 1, byte(w.rng.IntN(256))}}
}
