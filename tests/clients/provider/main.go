// SPDX-License-Identifier: Apache-2.0

// Command pulumi-resource-testing is the provider of the client tests: package "testing" with one
// resource, Thing, that behaves as its inputs say.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-go-provider/infer"
)

var version = "1.0.0"

func main() {
	provider, err := infer.NewProviderBuilder().
		WithResources(infer.Resource(&Thing{})).
		Build()
	if err == nil {
		err = provider.Run(context.Background(), "testing", version)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
