// The callbacks of proxy-wasm ABI 0.2.1. A filter hands them to the host with
// `export * from "@solo-io/proxy-runtime/proxy"`.

import { answer_http_call, forget_calls, forget_grpc_call, grpc_caller } from "./callers";
import { get_buffer_bytes } from "./calls";
import { RootContext } from "./contexts";
import { create_root, create_stream, find, find_root, forget, stream } from "./registry";
import { BufferTypeValues, PeerTypeValues } from "./values";
import { allocate } from "./wire";

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize { return allocate(size); }

// Contexts

export function proxy_on_context_create(context_id: u32, root_context_id: u32): void {
  if (root_context_id == 0) create_root(context_id);
  else create_stream(context_id, root_context_id);
}

export function proxy_on_done(context_id: u32): u32 {
  const context = find(context_id);
  return u32(context === null || context.onDone());
}

export function proxy_on_log(context_id: u32): void {
  const context = find(context_id);
  if (context !== null) context.onLog();
}

export function proxy_on_delete(context_id: u32): void {
  const context = find(context_id);
  if (context === null) return;
  context.onDelete();
  forget_calls(context);
  forget(context_id);
}

// The root context

export function proxy_on_vm_start(root_context_id: u32, vm_configuration_size: u32): u32 {
  const root = find_root(root_context_id);
  return u32(root !== null && root.onStart(vm_configuration_size));
}

export function proxy_validate_configuration(root_context_id: u32, configuration_size: u32): u32 {
  const root = configured(root_context_id, configuration_size);
  return u32(root !== null && root.validateConfiguration(configuration_size));
}

export function proxy_on_configure(root_context_id: u32, configuration_size: u32): u32 {
  const root = configured(root_context_id, configuration_size);
  return u32(root !== null && root.onConfigure(configuration_size));
}

function configured(root_context_id: u32, size: u32): RootContext | null {
  const root = find_root(root_context_id);
  if (root !== null) {
    root.configuration = size == 0
      ? "" : String.UTF8.decode(get_buffer_bytes(BufferTypeValues.PluginConfiguration, 0, size));
  }
  return root;
}

export function proxy_on_tick(root_context_id: u32): void { find_root(root_context_id)!.onTick(); }

export function proxy_on_queue_ready(root_context_id: u32, token: u32): void {
  find_root(root_context_id)!.onQueueReady(token);
}

export function proxy_on_foreign_function(root_context_id: u32, function_id: u32, data_size: u32): void {
  find_root(root_context_id)!.onForeignFunction(function_id, data_size);
}

// HTTP streams

export function proxy_on_request_headers(context_id: u32, headers: u32, end_of_stream: u32): i32 {
  return stream(context_id).onRequestHeaders(headers, end_of_stream != 0);
}

export function proxy_on_request_body(context_id: u32, body_buffer_length: u32, end_of_stream: u32): i32 {
  return stream(context_id).onRequestBody(body_buffer_length, end_of_stream != 0);
}

export function proxy_on_request_trailers(context_id: u32, trailers: u32): i32 {
  return stream(context_id).onRequestTrailers(trailers);
}

export function proxy_on_request_metadata(context_id: u32, elements: u32): i32 {
  return stream(context_id).onRequestMetadata(elements);
}

export function proxy_on_response_headers(context_id: u32, headers: u32, end_of_stream: u32): i32 {
  return stream(context_id).onResponseHeaders(headers, end_of_stream != 0);
}

export function proxy_on_response_body(context_id: u32, body_buffer_length: u32, end_of_stream: u32): i32 {
  return stream(context_id).onResponseBody(body_buffer_length, end_of_stream != 0);
}

export function proxy_on_response_trailers(context_id: u32, trailers: u32): i32 {
  return stream(context_id).onResponseTrailers(trailers);
}

export function proxy_on_response_metadata(context_id: u32, elements: u32): i32 {
  return stream(context_id).onResponseMetadata(elements);
}

// Connections

export function proxy_on_new_connection(context_id: u32): i32 { return stream(context_id).onNewConnection(); }

export function proxy_on_downstream_data(context_id: u32, size: u32, end_of_stream: u32): i32 {
  return stream(context_id).onDownstreamData(size, end_of_stream != 0);
}

export function proxy_on_upstream_data(context_id: u32, size: u32, end_of_stream: u32): i32 {
  return stream(context_id).onUpstreamData(size, end_of_stream != 0);
}

export function proxy_on_downstream_connection_close(context_id: u32, peer: u32): void {
  stream(context_id).onDownstreamConnectionClose(<PeerTypeValues>peer);
}

export function proxy_on_upstream_connection_close(context_id: u32, peer: u32): void {
  stream(context_id).onUpstreamConnectionClose(<PeerTypeValues>peer);
}

// Answers to calls

export function proxy_on_http_call_response(
  context_id: u32, token: u32, headers: u32, body_size: u32, trailers: u32): void {
  answer_http_call(context_id, token, headers, body_size, trailers);
}

export function proxy_on_grpc_receive_initial_metadata(context_id: u32, token: u32, headers: u32): void {
  const caller = grpc_caller(context_id, token);
  if (caller !== null) caller.on_grpc_receive_initial_metadata(token, headers);
}

export function proxy_on_grpc_receive(context_id: u32, token: u32, response_size: u32): void {
  const caller = grpc_caller(context_id, token);
  if (caller !== null) caller.on_grpc_receive(token, response_size);
}

export function proxy_on_grpc_receive_trailing_metadata(context_id: u32, token: u32, trailers: u32): void {
  const caller = grpc_caller(context_id, token);
  if (caller !== null) caller.on_grpc_trailing_metadata(token, trailers);
}

export function proxy_on_grpc_close(context_id: u32, token: u32, status_code: u32): void {
  const caller = grpc_caller(context_id, token);
  if (caller === null) return;
  forget_grpc_call(token, caller);
  caller.on_grpc_close(token, status_code);
}
