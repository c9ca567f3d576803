// Who waits for the answer to which call. The host answers to the root context, whoever asked.

import { BaseContext } from "./base";
import { Entry, Table } from "./table";

export type OnHttpCall = (origin_context: BaseContext, headers: u32, body_size: usize, trailers: u32) => void;

abstract class Caller extends Entry {
  constructor(public origin_context: BaseContext) { super(); }
}

/** Who waits for the answer to an HTTP call. */
export class HttpCallback extends Caller {
  constructor(origin_context: BaseContext, public cb: OnHttpCall) { super(origin_context); }
}

class GrpcCaller extends Caller {}

const callers = new Table();
/** Keeps the tokens of gRPC calls apart from those of HTTP calls. */
const GRPC: u32 = 1 << 31;

function remember(key: u32, caller: Caller): void {
  callers.set(key, caller);
  caller.origin_context.open_calls++;
}

function forget(key: u32, origin: BaseContext): void {
  callers.delete(key);
  origin.open_calls--;
}

export function remember_http_call(token: u32, callback: HttpCallback): void { remember(token, callback); }

export function remember_grpc_call(token: u32, origin: BaseContext): void {
  remember(token | GRPC, new GrpcCaller(origin));
}

/** Hand an answer to whoever waits for it, as whom the module then acts. */
export function answer_http_call(context_id: u32, token: u32, headers: u32, body_size: u32, trailers: u32): void {
  const call = callers.get(token) as HttpCallback | null;
  if (call === null) return;
  const origin = call.origin_context;
  forget(token, origin);
  if (origin.context_id != context_id) origin.setEffectiveContext();
  call.cb(origin, headers, body_size, trailers);
}

/** Who made a gRPC call, as whom the module then acts; null when that one is gone. */
export function grpc_caller(context_id: u32, token: u32): BaseContext | null {
  const call = callers.get(token | GRPC) as GrpcCaller | null;
  if (call === null) return null;
  const origin = call.origin_context;
  if (origin.context_id != context_id) origin.setEffectiveContext();
  return origin;
}

/** A gRPC call is over. */
export function forget_grpc_call(token: u32, origin: BaseContext): void { forget(token | GRPC, origin); }

/** Forget the calls of a context that is no more; their answers may still come. */
export function forget_calls(origin: BaseContext): void {
  if (origin.open_calls == 0) return;
  const keys = callers.all_keys();
  for (let i = 0; i < keys.length; i++) {
    const caller = callers.get(keys[i]) as Caller | null;
    if (caller !== null && caller.origin_context === origin) forget(keys[i], origin);
  }
}
