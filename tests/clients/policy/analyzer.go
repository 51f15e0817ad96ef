// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// A policy refuses resources one of whose texts has the word in it; "word" is its configuration, too.
type policy struct {
	Name, Level, Word string
	Required          bool // the word must be configured
}

type pack struct {
	pulumirpc.UnimplementedAnalyzerServer
	Name, Version string
	Policies      []policy
}

func load(folder string) (*pack, error) {
	text, err := os.ReadFile(filepath.Join(folder, "policy.json"))
	if err != nil {
		return nil, err
	}
	loaded := &pack{}
	return loaded, json.Unmarshal(text, loaded)
}

func level(word string) pulumirpc.EnforcementLevel {
	return pulumirpc.EnforcementLevel(pulumirpc.EnforcementLevel_value[strings.ToUpper(word)])
}

func (p policy) schema() *pulumirpc.PolicyConfigSchema {
	properties, err := structpb.NewStruct(map[string]any{"word": map[string]any{"type": "string"}})
	if err != nil {
		panic(err)
	}
	schema := &pulumirpc.PolicyConfigSchema{Properties: properties}
	if p.Required {
		schema.Required = []string{"word"}
	}
	return schema
}

func (k *pack) Handshake(context.Context, *pulumirpc.AnalyzerHandshakeRequest) (*pulumirpc.AnalyzerHandshakeResponse, error) {
	return &pulumirpc.AnalyzerHandshakeResponse{}, nil
}

func (k *pack) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: k.Version}, nil
}

func (k *pack) GetAnalyzerInfo(context.Context, *emptypb.Empty) (*pulumirpc.AnalyzerInfo, error) {
	info := &pulumirpc.AnalyzerInfo{Name: k.Name, DisplayName: k.Name, Version: k.Version, SupportsConfig: true}
	for _, p := range k.Policies {
		info.Policies = append(info.Policies, &pulumirpc.PolicyInfo{
			Name: p.Name, DisplayName: p.Name, Description: "refuses a word", EnforcementLevel: level(p.Level), ConfigSchema: p.schema(),
		})
	}
	return info, nil
}

// Configure takes levels and words; "all" was resolved by the command line.
func (k *pack) Configure(_ context.Context, rq *pulumirpc.ConfigureAnalyzerRequest) (*emptypb.Empty, error) {
	for i := range k.Policies {
		config, found := rq.GetPolicyConfig()[k.Policies[i].Name]
		if !found {
			continue
		}
		k.Policies[i].Level = strings.ToLower(config.GetEnforcementLevel().String())
		if word := config.GetProperties().GetFields()["word"].GetStringValue(); word != "" {
			k.Policies[i].Word = word
		}
	}
	return &emptypb.Empty{}, nil
}

func (k *pack) Analyze(_ context.Context, rq *pulumirpc.AnalyzeRequest) (*pulumirpc.AnalyzeResponse, error) {
	answer := &pulumirpc.AnalyzeResponse{}
	for _, p := range k.Policies {
		for _, value := range rq.GetProperties().GetFields() {
			if p.Level == "disabled" || p.Word == "" || !strings.Contains(value.GetStringValue(), p.Word) {
				continue
			}
			answer.Diagnostics = append(answer.Diagnostics, &pulumirpc.AnalyzeDiagnostic{
				PolicyName: p.Name, PolicyPackName: k.Name, PolicyPackVersion: k.Version, Description: "refuses a word",
				Message: "the word " + p.Word + " is not wanted", EnforcementLevel: level(p.Level), Urn: rq.GetUrn(),
			})
		}
	}
	return answer, nil
}

func (k *pack) AnalyzeStack(context.Context, *pulumirpc.AnalyzeStackRequest) (*pulumirpc.AnalyzeResponse, error) {
	return &pulumirpc.AnalyzeResponse{}, nil
}

func (k *pack) Remediate(context.Context, *pulumirpc.AnalyzeRequest) (*pulumirpc.RemediateResponse, error) {
	return &pulumirpc.RemediateResponse{}, nil
}

func (k *pack) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}
