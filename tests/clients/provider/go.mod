module pulumi-resource-testing

go 1.25.11

require (
	github.com/pulumi/pulumi-go-provider v1.5.0
	github.com/pulumi/pulumi/pkg/v3 v3.259.0
	github.com/pulumi/pulumi/sdk/v3 v3.259.0
)

replace github.com/mitchellh/mapstructure => github.com/go-viper/mapstructure v1.6.0
