// The classes a filter derives from: one RootContext per configured filter, one Context per stream.

import { continue_request, proxy_set_effective_context } from "./calls";
import { Headers, put_pairs, size_of_pairs } from "./headers";
import * as host from "./imports";
import { Entry, Table } from "./table";
import {
  FilterDataStatusValues, FilterHeadersStatusValues, FilterMetadataStatusValues, FilterStatusValues,
  FilterTrailersStatusValues, PeerTypeValues, WasmResultValues,
} from "./values";
import { answered_u32, first_answer, most, put, room } from "./wire";

/** What a root context and a stream context have in common. */
export abstract class BaseContext extends Entry {
  /** Calls of `httpCall` that have not been answered. */
  open_calls: u32 = 0;

  constructor(public context_id: u32) { super(); }

  /** Act as this context: what follows reads and changes its stream. */
  setEffectiveContext(): WasmResultValues { return proxy_set_effective_context(this.context_id); }

  continueRequest(): void { continue_request(); }

  /** Give false to live on until `done()` is called. */
  onDone(): bool { return true; }
  /** After `onDone`, when headers can still be read: the place for an access log. */
  onLog(): void {}
  /** The last that is heard of this context. */
  onDelete(): void {}

  on_grpc_receive_initial_metadata(token: u32, headers: u32): void {}
  on_grpc_receive(token: u32, response_size: u32): void {}
  on_grpc_trailing_metadata(token: u32, trailers: u32): void {}
  on_grpc_close(token: u32, status_code: u32): void {}
}

type OnHttpCall = (origin_context: BaseContext, headers: u32, body_size: usize, trailers: u32) => void;

/** Who waits for the answer to a call. */
export class HttpCallback extends Entry {
  constructor(public origin_context: BaseContext, public cb: OnHttpCall) { super(); }
}

const open_calls = new Table();

/** Hand an answer to whoever waits for it. */
export function answer_http_call(context_id: u32, token: u32, headers: u32, body_size: u32, trailers: u32): void {
  const call = open_calls.get(token) as HttpCallback | null;
  if (call === null) return;
  open_calls.delete(token);
  const origin = call.origin_context;
  origin.open_calls--;
  if (origin.context_id != context_id) origin.setEffectiveContext();
  call.cb(origin, headers, body_size, trailers);
}

/** Forget the calls of a context that is no more: the host will not answer them. */
export function forget_http_calls(origin: BaseContext): void {
  if (origin.open_calls == 0) return;
  const tokens = open_calls.all_keys();
  for (let i = 0; i < tokens.length; i++) {
    const call = open_calls.get(tokens[i]) as HttpCallback | null;
    if (call !== null && call.origin_context === origin) open_calls.delete(tokens[i]);
  }
  origin.open_calls = 0;
}

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
    if (result == WasmResultValues.Ok) {
      open_calls.set(answered_u32(), new HttpCallback(origin_context, cb));
      origin_context.open_calls++;
    }
    return result;
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
