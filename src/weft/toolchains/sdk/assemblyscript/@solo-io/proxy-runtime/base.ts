// What a root context and a stream context have in common.

import { continue_request, proxy_set_effective_context } from "./calls";
import { Entry } from "./table";
import { WasmResultValues } from "./values";

export abstract class BaseContext extends Entry {
  /** Calls, HTTP and gRPC, that are not over. */
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
