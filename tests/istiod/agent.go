package main

import (
	"net"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"istio.io/istio/pkg/wasm"
)

const extensions = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"

type relay struct {
	discovery.UnimplementedAggregatedDiscoveryServiceServer
	istiod discovery.AggregatedDiscoveryServiceClient
	cache  wasm.Cache
}

// agent hands on what a proxy asks istiod, and what istiod answers.
func agent(address, socket, modules string) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	discovery.RegisterAggregatedDiscoveryServiceServer(server, &relay{
		istiod: discovery.NewAggregatedDiscoveryServiceClient(connection),
		cache: wasm.NewLocalFileCache(modules, wasm.Options{
			PurgeInterval:         wasm.DefaultPurgeInterval,
			ModuleExpiry:          wasm.DefaultModuleExpiry,
			HTTPRequestTimeout:    wasm.DefaultHTTPRequestTimeout,
			HTTPRequestMaxRetries: wasm.DefaultHTTPRequestMaxRetries,
		}),
	})
	return server.Serve(listener)
}

// StreamAggregatedResources ends when either side does; then the proxy asks again.
func (r *relay) StreamAggregatedResources(
	proxy discovery.AggregatedDiscoveryService_StreamAggregatedResourcesServer,
) error {
	istiod, err := r.istiod.StreamAggregatedResources(proxy.Context())
	if err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() { ended <- requests(proxy, istiod) }()
	go func() { ended <- r.answers(istiod, proxy) }()
	return <-ended
}

func requests(
	proxy discovery.AggregatedDiscoveryService_StreamAggregatedResourcesServer,
	istiod discovery.AggregatedDiscoveryService_StreamAggregatedResourcesClient,
) error {
	for {
		request, err := proxy.Recv()
		if err != nil {
			return err
		}
		if err := istiod.Send(request); err != nil {
			return err
		}
	}
}

func (r *relay) answers(
	istiod discovery.AggregatedDiscoveryService_StreamAggregatedResourcesClient,
	proxy discovery.AggregatedDiscoveryService_StreamAggregatedResourcesServer,
) error {
	for {
		answer, err := istiod.Recv()
		if err != nil {
			return err
		}
		if answer.TypeUrl == extensions {
			if err := wasm.MaybeConvertWasmExtensionConfig(answer.Resources, r.cache); err != nil {
				return err
			}
		}
		if err := proxy.Send(answer); err != nil {
			return err
		}
	}
}
