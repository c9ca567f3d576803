// gRPC calls, begun by `grpc_call` and `grpc_stream` of the root context (contexts.ts).

import { Headers, put_pairs, size_of_pairs } from "./headers";
import * as host from "./imports";
import { WasmResultValues } from "./values";
import { answered_u32, first_answer, most, put, put_bytes, room } from "./wire";

export class GrpcCallResult {
  result: WasmResultValues = WasmResultValues.Ok;
  /** By which the answers are known. */
  token: u32 = 0;
}

/** Where the four things that every call begins with lie in the outbox. */
class Opening {
  at: usize;
  service_size: usize;
  service_name_size: usize;
  method_name_size: usize;
  metadata_size: usize;

  constructor(service: ArrayBuffer, service_name: string, method_name: string, metadata: Headers) {
    this.at = room(<usize>service.byteLength + most(service_name) + most(method_name) + size_of_pairs(metadata));
    this.service_size = put_bytes(service, this.at);
    this.service_name_size = put(service_name, this.service_name_at);
    this.method_name_size = put(method_name, this.method_name_at);
    this.metadata_size = put_pairs(metadata, this.metadata_at);
  }

  get service_name_at(): usize { return this.at + this.service_size; }
  get method_name_at(): usize { return this.service_name_at + this.service_name_size; }
  get metadata_at(): usize { return this.method_name_at + this.method_name_size; }
}

export function begin_grpc_call(
  service: ArrayBuffer, service_name: string, method_name: string, metadata: Headers,
  request: ArrayBuffer, timeout_milliseconds: u32): GrpcCallResult {
  const o = new Opening(service, service_name, method_name, metadata);
  return opened(host.proxy_grpc_call(
    o.at, o.service_size, o.service_name_at, o.service_name_size, o.method_name_at, o.method_name_size,
    o.metadata_at, o.metadata_size, changetype<usize>(request), request.byteLength,
    timeout_milliseconds, first_answer()));
}

export function begin_grpc_stream(
  service: ArrayBuffer, service_name: string, method_name: string, metadata: Headers): GrpcCallResult {
  const o = new Opening(service, service_name, method_name, metadata);
  return opened(host.proxy_grpc_stream(
    o.at, o.service_size, o.service_name_at, o.service_name_size, o.method_name_at, o.method_name_size,
    o.metadata_at, o.metadata_size, first_answer()));
}

function opened(result: u32): GrpcCallResult {
  const call = new GrpcCallResult();
  call.result = <WasmResultValues>result;
  if (result == WasmResultValues.Ok) call.token = answered_u32();
  return call;
}

export function grpc_send(token: u32, message: ArrayBuffer, end_stream: bool): WasmResultValues {
  return host.proxy_grpc_send(token, changetype<usize>(message), message.byteLength, u32(end_stream));
}

/** Give up a call: it is not answered any more. */
export function grpc_cancel(token: u32): WasmResultValues { return host.proxy_grpc_cancel(token); }

/** Close a stream on this side. */
export function grpc_close(token: u32): WasmResultValues { return host.proxy_grpc_close(token); }
