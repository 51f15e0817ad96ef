// SPDX-License-Identifier: Apache-2.0

// Command pulumi-language-testpolicy is the language host of the client tests' policy packs. A pack is a folder with
// PulumiPolicy.yaml (runtime: testpolicy) and policy.json: its name, version and policies. The command line asks this host to
// run the pack as a plugin; it answers with an analyzer of its own (analyzer.go).
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

var version = "1.0.0"

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
}

func (host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version}, nil
}

// InstallDependencies has nothing to do: a pack has all that it needs.
func (host) InstallDependencies(*pulumirpc.InstallDependenciesRequest,
	grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse]) error {
	return nil
}

// RunPlugin serves an analyzer until the caller has had enough; its port is what a plugin would print.
func (host) RunPlugin(rq *pulumirpc.RunPluginRequest, stream grpc.ServerStreamingServer[pulumirpc.RunPluginResponse]) error {
	pack, err := load(rq.GetInfo().GetProgramDirectory())
	if err != nil {
		return err
	}
	cancel := make(chan bool)
	served, err := serve(cancel, func(server *grpc.Server) { pulumirpc.RegisterAnalyzerServer(server, pack) })
	if err != nil {
		return err
	}
	port := fmt.Sprintf("%d\n", served.Port)
	err = stream.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: []byte(port)}})
	if err == nil {
		<-stream.Context().Done()
	}
	close(cancel)
	<-served.Done
	return err
}

func serve(cancel chan bool, register func(*grpc.Server)) (rpcutil.ServeHandle, error) {
	return rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init:   func(server *grpc.Server) error { register(server); return nil },
	})
}

// Some command lines leave their hosts running when they end.
func endWith(parent int) {
	for os.Getppid() == parent {
		time.Sleep(time.Second)
	}
	os.Exit(0)
}

func main() {
	go endWith(os.Getppid())
	served, err := serve(make(chan bool), func(server *grpc.Server) { pulumirpc.RegisterLanguageRuntimeServer(server, host{}) })
	if err == nil {
		fmt.Printf("%d\n", served.Port)
		err = <-served.Done
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
