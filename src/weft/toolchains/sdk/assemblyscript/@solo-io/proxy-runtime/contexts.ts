// The classes a filter derives from: one RootContext per configured filter, one Context per stream.

import { BaseContext } from "./base";
import { HttpCallback, OnHttpCall, remember_grpc_call, remember_http_call } from "./callers";
import { begin_grpc_call, begin_grpc_stream, GrpcCallResult } from "./grpc";
import { Headers, put_pairs, size_of_pairs } from "./headers";
import * as host from "./imports";
import {
  FilterDataStatusValues, FilterHeadersStatusValues, FilterMetadataStatusValues, FilterStatusValues,
  FilterTrailersStatusValues, PeerTypeValues, WasmResultValues,
} from "./values";
import { answered_u32, first_answer, most, put, room } from "./wire";

/** A configured filter: its config, and what all its streams share. */
export class RootContext extends BaseContext {
  /** The plugin config as the proxy has it. */
  configuration: string = "";

  constructor(context_id: u32) { super(context_id); }

  getConfiguration(): string { return this.configuration; }

  /** A new stream: give the context that follows it. */
  createContext(context_id: u32): Context { return new Context(context_id, this); }

  onStart(vm_configuration_size: usize): bool { return true; }
  validateConfiguration(configuration_size: usize): bool { return true; }
  /** `configuration` is there. Give false to refuse it; say why in the log. */
  onConfigure(configuration_size: u32): bool { return true; }
  onTick(): void {}
  onQueueReady(token: u32): void {}
  onForeignFunction(function_id: u32, data_size: u32): void {}

  /**
   * Send an HTTP request to a cluster of Envoy's.
   *
   * `headers` needs `:method`, `:path` and `:authority`. `cb` is called once with `origin_context`, as its
   * stream, and the number of headers in the answer: 0 when the call failed or took longer than
   * `timeout_milliseconds`. Anything but Ok means that there will be no answer.
   */
  httpCall(
    cluster: string, headers: Headers, body: ArrayBuffer, trailers: Headers, timeout_milliseconds: u32,
    origin_context: BaseContext, cb: OnHttpCall): WasmResultValues {
    const at = room(most(cluster) + size_of_pairs(headers) + size_of_pairs(trailers));
    const cluster_size = put(cluster, at);
    const headers_at = at + cluster_size;
    const headers_size = put_pairs(headers, headers_at);
    const trailers_at = headers_at + headers_size;
    const trailers_size = put_pairs(trailers, trailers_at);
    const result = host.proxy_http_call(
      at, cluster_size, headers_at, headers_size, changetype<usize>(body), body.byteLength,
      trailers_at, trailers_size, timeout_milliseconds, first_answer());
    if (result == WasmResultValues.Ok) remember_http_call(answered_u32(), new HttpCallback(origin_context, cb));
    return result;
  }

  /**
   * Begin a gRPC call: one request, one answer, which comes to the `on_grpc_…` methods of `origin_context`.
   * `service` is a GrpcService message of Envoy's, or a cluster's name.
   */
  grpc_call(
    service: ArrayBuffer, service_name: string, method_name: string, metadata: Headers, request: ArrayBuffer,
    timeout_milliseconds: u32, origin_context: BaseContext): GrpcCallResult {
    const call = begin_grpc_call(service, service_name, method_name, metadata, request, timeout_milliseconds);
    if (call.result == WasmResultValues.Ok) remember_grpc_call(call.token, origin_context);
    return call;
  }

  /** Open a gRPC stream in both directions; then `grpc_send`, and `grpc_close`. */
  grpc_stream(
    service: ArrayBuffer, service_name: string, method_name: string, metadata: Headers,
    origin_context: BaseContext): GrpcCallResult {
    const call = begin_grpc_stream(service, service_name, method_name, metadata);
    if (call.result == WasmResultValues.Ok) remember_grpc_call(call.token, origin_context);
    return call;
  }
}

/** One request and its response, or one connection. */
export class Context extends BaseContext {
  constructor(context_id: u32, public root_context: RootContext) { super(context_id); }

  onRequestHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    return FilterHeadersStatusValues.Continue;
  }
  onRequestMetadata(elements: u32): FilterMetadataStatusValues { return FilterMetadataStatusValues.Continue; }
  onRequestBody(body_buffer_length: usize, end_of_stream: bool): FilterDataStatusValues {
    return FilterDataStatusValues.Continue;
  }
  onRequestTrailers(trailers: u32): FilterTrailersStatusValues { return FilterTrailersStatusValues.Continue; }

  onResponseHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    return FilterHeadersStatusValues.Continue;
  }
  onResponseMetadata(elements: u32): FilterMetadataStatusValues { return FilterMetadataStatusValues.Continue; }
  onResponseBody(body_buffer_length: usize, end_of_stream: bool): FilterDataStatusValues {
    return FilterDataStatusValues.Continue;
  }
  onResponseTrailers(trailers: u32): FilterTrailersStatusValues { return FilterTrailersStatusValues.Continue; }

  onNewConnection(): FilterStatusValues { return FilterStatusValues.Continue; }
  onDownstreamData(size: usize, end: bool): FilterStatusValues { return FilterStatusValues.Continue; }
  onUpstreamData(size: usize, end: bool): FilterStatusValues { return FilterStatusValues.Continue; }
  onDownstreamConnectionClose(peer: PeerTypeValues): void {}
  onUpstreamConnectionClose(peer: PeerTypeValues): void {}
}
