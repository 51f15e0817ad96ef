// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Thing is a resource whose life a test writes down in its inputs.
type Thing struct{}

// ThingArgs are the inputs: what it holds, then how it behaves.
type ThingArgs struct {
	Value  string  `pulumi:"value"`
	Secret *string `pulumi:"secret,optional" provider:"secret"`
	// Size is the number of bytes of padding among the outputs.
	Size *int `pulumi:"size,optional"`
	// ReplaceOn replaces the resource when it changes.
	ReplaceOn           *string `pulumi:"replaceOn,optional"`
	DeleteBeforeReplace *bool   `pulumi:"deleteBeforeReplace,optional"`
	// The operation so named fails with the message; Partial succeeds with an initialization error.
	FailCreate *string `pulumi:"failCreate,optional"`
	FailUpdate *string `pulumi:"failUpdate,optional"`
	FailDelete *string `pulumi:"failDelete,optional"`
	Partial    *string `pulumi:"partial,optional"`
	// DelayMs is how long a create, an update or a delete takes.
	DelayMs *int `pulumi:"delayMs,optional"`
}

// ThingState is what a Thing has become.
type ThingState struct {
	ThingArgs
	Echo string `pulumi:"echo"`
	// Hidden is a secret that the provider makes, of a thing that was given one.
	Hidden *string `pulumi:"hidden,optional" provider:"secret"`
	// Padding is text without repetition that a compressor could live on.
	Padding string `pulumi:"padding"`
}

func (t *Thing) Annotate(a infer.Annotator) {
	a.Describe(&t, "A resource that behaves as its inputs say.")
	a.SetToken("index", "Thing")
}

func (*Thing) Create(ctx context.Context, req infer.CreateRequest[ThingArgs]) (infer.CreateResponse[ThingState], error) {
	created := infer.CreateResponse[ThingState]{Output: become(req.Inputs)}
	if req.DryRun {
		return created, nil
	}

	if err := wait(ctx, req.Inputs.DelayMs); err != nil {
		return created, err
	}
	if message := text(req.Inputs.FailCreate); message != "" {
		return created, errors.New(message)
	}

	created.ID = fmt.Sprintf("%s-%x", req.Name, time.Now().UnixNano())
	if err := cloudWrite(created.ID, req.Inputs.Value); err != nil {
		return created, err
	}
	return created, partial(req.Inputs)
}

func (*Thing) Update(
	ctx context.Context, req infer.UpdateRequest[ThingArgs, ThingState],
) (infer.UpdateResponse[ThingState], error) {
	updated := infer.UpdateResponse[ThingState]{Output: become(req.Inputs)}
	if req.DryRun {
		return updated, nil
	}

	if err := wait(ctx, req.Inputs.DelayMs); err != nil {
		return updated, err
	}
	if message := text(req.Inputs.FailUpdate); message != "" {
		return updated, errors.New(message)
	}

	if err := cloudWrite(req.ID, req.Inputs.Value); err != nil {
		return updated, err
	}
	return updated, partial(req.Inputs)
}

func (*Thing) Delete(ctx context.Context, req infer.DeleteRequest[ThingState]) (infer.DeleteResponse, error) {
	if err := wait(ctx, req.State.DelayMs); err != nil {
		return infer.DeleteResponse{}, err
	}
	if message := text(req.State.FailDelete); message != "" {
		return infer.DeleteResponse{}, errors.New(message)
	}
	return infer.DeleteResponse{}, cloudDelete(req.ID)
}

// Read answers what the cloud folder says: another value, or that the thing is gone.
func (*Thing) Read(
	_ context.Context, req infer.ReadRequest[ThingArgs, ThingState],
) (infer.ReadResponse[ThingArgs, ThingState], error) {
	value, found, err := cloudRead(req.ID, req.State.Value)
	if err != nil || !found {
		return infer.ReadResponse[ThingArgs, ThingState]{}, err
	}

	inputs := req.Inputs
	inputs.Value = value
	state := become(inputs)
	return infer.ReadResponse[ThingArgs, ThingState]{ID: req.ID, Inputs: inputs, State: state}, nil
}

func (*Thing) Diff(
	_ context.Context, req infer.DiffRequest[ThingArgs, ThingState],
) (infer.DiffResponse, error) {
	diff := infer.DiffResponse{
		DetailedDiff:        map[string]p.PropertyDiff{},
		DeleteBeforeReplace: req.Inputs.DeleteBeforeReplace != nil && *req.Inputs.DeleteBeforeReplace,
	}
	old, now := req.State.ThingArgs, req.Inputs
	changed := func(name string, differs bool, kind p.DiffKind) {
		if differs {
			diff.HasChanges = true
			diff.DetailedDiff[name] = p.PropertyDiff{Kind: kind}
		}
	}

	changed("value", old.Value != now.Value, p.Update)
	changed("secret", text(old.Secret) != text(now.Secret), p.Update)
	changed("size", number(old.Size) != number(now.Size), p.Update)
	changed("replaceOn", text(old.ReplaceOn) != text(now.ReplaceOn), p.UpdateReplace)
	changed("failUpdate", text(old.FailUpdate) != text(now.FailUpdate), p.Update)
	changed("failDelete", text(old.FailDelete) != text(now.FailDelete), p.Update)
	changed("partial", text(old.Partial) != text(now.Partial), p.Update)
	changed("delayMs", number(old.DelayMs) != number(now.DelayMs), p.Update)
	return diff, nil
}

func become(inputs ThingArgs) ThingState {
	state := ThingState{
		ThingArgs: inputs,
		Echo:      inputs.Value,
		Padding:   padding(inputs.Value, number(inputs.Size)),
	}
	if inputs.Secret != nil {
		hidden := "hidden " + inputs.Value
		state.Hidden = &hidden
	}
	return state
}

func padding(seed string, size int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
	var out strings.Builder
	state := uint64(14695981039346656037)
	for i := range len(seed) {
		state = (state ^ uint64(seed[i])) * 1099511628211
	}
	for range size {
		state = state*6364136223846793005 + 1442695040888963407
		out.WriteByte(alphabet[state>>58])
	}
	return out.String()
}

func partial(inputs ThingArgs) error {
	if message := text(inputs.Partial); message != "" {
		return infer.ResourceInitFailedError{Reasons: []string{message}}
	}
	return nil
}

func wait(ctx context.Context, delay *int) error {
	select {
	case <-time.After(time.Duration(number(delay)) * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func number(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
