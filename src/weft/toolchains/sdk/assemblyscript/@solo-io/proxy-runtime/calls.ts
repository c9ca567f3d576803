// What a filter asks of the host, headers (headers.ts) and metrics (metrics.ts) apart.

import { Headers, put_pairs, size_of_pairs } from "./headers";
import * as host from "./imports";
import {
  BufferTypeValues, GrpcStatusValues, LogLevelValues, StreamTypeValues, WasmResultValues,
} from "./values";
import {
  answered_u32, first_answer, most, put, received_buffer, room, second_answer,
} from "./wire";

// Log, time, life

export function log(level: LogLevelValues, logMessage: string): void {
  const at = room(most(logMessage));
  host.proxy_log(level, at, put(logMessage, at));
}

/** The level Envoy keeps of this filter's log: what is below need not be put together. */
export function get_log_level(): LogLevelValues {
  const result = host.proxy_get_log_level(first_answer());
  return result == WasmResultValues.Ok ? answered_u32() : LogLevelValues.info;
}

/** Nanoseconds since 1970. */
export function get_current_time_nanoseconds(): u64 {
  host.proxy_get_current_time_nanoseconds(first_answer());
  return load<u64>(first_answer());
}

/** Have `onTick` called every so often; 0 stops it. */
export function set_tick_period_milliseconds(millisecond: u32): WasmResultValues {
  return host.proxy_set_tick_period_milliseconds(millisecond);
}

/** Act as another context: what follows reads and changes its stream. */
export function proxy_set_effective_context(context_id: u32): WasmResultValues {
  return host.proxy_set_effective_context(context_id);
}

/** Say that a context whose `onDone` gave false is done now. */
export function done(): WasmResultValues { return host.proxy_done(); }

export class StatusWithData {
  status: u32 = 0;
  data: ArrayBuffer = new ArrayBuffer(0);
}

/** Status and message of the last call; in a gRPC callback, the reason of its end. */
export function get_status(): StatusWithData {
  const status = new StatusWithData();
  const code = memory.data(8, 8);
  if (host.proxy_get_status(code, first_answer(), second_answer()) == WasmResultValues.Ok) {
    status.status = load<u32>(code);
    status.data = received_buffer();
  }
  return status;
}

/** Call a function that the host adds to the ABI; empty where it has none of this name. */
export function call_foreign_function(function_name: string, argument: string): ArrayBuffer {
  const at = room(most(function_name) + most(argument));
  const name_size = put(function_name, at);
  const argument_size = put(argument, at + name_size);
  const result = host.proxy_call_foreign_function(
    at, name_size, at + name_size, argument_size, first_answer(), second_answer());
  return result == WasmResultValues.Ok ? received_buffer() : new ArrayBuffer(0);
}

// Properties. The parts of a path are separated by a zero character: "request\0path".

export function get_property(path: string): ArrayBuffer {
  const at = room(most(path));
  const result = host.proxy_get_property(at, put(path, at), first_answer(), second_answer());
  return result == WasmResultValues.Ok ? received_buffer() : new ArrayBuffer(0);
}

export function set_property(path: string, data: ArrayBuffer): WasmResultValues {
  const at = room(most(path));
  return host.proxy_set_property(at, put(path, at), changetype<usize>(data), data.byteLength);
}

// The stream

export function continue_request(): WasmResultValues {
  return host.proxy_continue_stream(StreamTypeValues.Request);
}

export function continue_response(): WasmResultValues {
  return host.proxy_continue_stream(StreamTypeValues.Response);
}

/** Go on with a connection that a network filter stopped. */
export function continue_downstream(): WasmResultValues {
  return host.proxy_continue_stream(StreamTypeValues.Downstream);
}

export function continue_upstream(): WasmResultValues {
  return host.proxy_continue_stream(StreamTypeValues.Upstream);
}

export function close_stream(stream_type: StreamTypeValues): WasmResultValues {
  return host.proxy_close_stream(stream_type);
}

/** Answer the request here; it goes no further. */
export function send_local_response(
  response_code: u32, response_code_details: string, body: ArrayBuffer,
  additional_headers: Headers, grpc_status: GrpcStatusValues): WasmResultValues {
  const at = room(most(response_code_details) + size_of_pairs(additional_headers));
  const details_size = put(response_code_details, at);
  const pairs_size = put_pairs(additional_headers, at + details_size);
  return host.proxy_send_local_response(
    response_code, at, details_size, changetype<usize>(body), body.byteLength,
    at + details_size, pairs_size, grpc_status);
}

/** Have Envoy choose the route anew, after a change of the headers it depends on. */
export function clear_route_cache(): void { call_foreign_function("clear_route_cache", ""); }

// Bodies and other buffers

export function get_buffer_bytes(typ: BufferTypeValues, start: u32, length: u32): ArrayBuffer {
  const result = host.proxy_get_buffer_bytes(typ, start, length, first_answer(), second_answer());
  return result == WasmResultValues.Ok ? received_buffer() : new ArrayBuffer(0);
}

/** Put `data` where `length` bytes from `start` on were: `length` 0 inserts, an empty `data` cuts. */
export function set_buffer_bytes(
  typ: BufferTypeValues, start: u32, length: u32, data: ArrayBuffer): WasmResultValues {
  return host.proxy_set_buffer_bytes(typ, start, length, changetype<usize>(data), data.byteLength);
}

export class BufferStatusResult {
  result: WasmResultValues = WasmResultValues.Ok;
  length: usize = 0;
  flags: u32 = 0;
}

export function get_buffer_status(typ: BufferTypeValues): BufferStatusResult {
  const status = new BufferStatusResult();
  status.result = host.proxy_get_buffer_status(typ, first_answer(), second_answer());
  if (status.result == WasmResultValues.Ok) {
    status.length = load<u32>(first_answer());
    status.flags = load<u32>(second_answer());
  }
  return status;
}

// Data that all workers see

export class GetSharedData {
  value: ArrayBuffer | null = null;
  result: WasmResultValues = WasmResultValues.Ok;
  /** Give it to `set_shared_data`, and the write fails where another was faster. */
  cas: usize = 0;
}

export function get_shared_data(key: string): GetSharedData {
  const data = new GetSharedData();
  const cas = memory.data(8, 8);
  const at = room(most(key));
  data.result = host.proxy_get_shared_data(at, put(key, at), first_answer(), second_answer(), cas);
  if (data.result == WasmResultValues.Ok) {
    data.value = received_buffer();
    data.cas = load<u32>(cas);
  }
  return data;
}

/** `cas` 0 writes whatever is there. */
export function set_shared_data(key: string, value: ArrayBuffer, cas: u32 = 0): WasmResultValues {
  const at = room(most(key));
  return host.proxy_set_shared_data(at, put(key, at), changetype<usize>(value), value.byteLength, cas);
}

export class TokenSharedQueueResult {
  result: WasmResultValues = WasmResultValues.Ok;
  token: u32 = 0;
}

export function register_shared_queue(queue_name: string): TokenSharedQueueResult {
  const queue = new TokenSharedQueueResult();
  const at = room(most(queue_name));
  queue.result = host.proxy_register_shared_queue(at, put(queue_name, at), first_answer());
  if (queue.result == WasmResultValues.Ok) queue.token = answered_u32();
  return queue;
}

export function resolve_shared_queue(vm_id: string, queue_name: string): TokenSharedQueueResult {
  const queue = new TokenSharedQueueResult();
  const at = room(most(vm_id) + most(queue_name));
  const vm_id_size = put(vm_id, at);
  const name_size = put(queue_name, at + vm_id_size);
  queue.result = host.proxy_resolve_shared_queue(at, vm_id_size, at + vm_id_size, name_size, first_answer());
  if (queue.result == WasmResultValues.Ok) queue.token = answered_u32();
  return queue;
}

export class DequeueSharedQueueResult {
  result: WasmResultValues = WasmResultValues.Ok;
  data: ArrayBuffer | null = null;
}

export function dequeue_shared_queue(token: u32): DequeueSharedQueueResult {
  const item = new DequeueSharedQueueResult();
  item.result = host.proxy_dequeue_shared_queue(token, first_answer(), second_answer());
  if (item.result == WasmResultValues.Ok) item.data = received_buffer();
  return item;
}

export function enqueue_shared_queue(token: u32, data: ArrayBuffer): WasmResultValues {
  return host.proxy_enqueue_shared_queue(token, changetype<usize>(data), data.byteLength);
}
