// Two filters in one module, told apart by their root ids; and each config has its own state.

export * from "@solo-io/proxy-runtime/proxy";
import {
  Context, FilterHeadersStatusValues, registerRootContext, RootContext, stream_context,
} from "@solo-io/proxy-runtime";

class First extends RootContext {
  createContext(context_id: u32): Context { return new Named(context_id, this, "x-first"); }
}

class Second extends RootContext {
  createContext(context_id: u32): Context { return new Named(context_id, this, "x-second"); }
}

class Named extends Context {
  constructor(context_id: u32, root: RootContext, private name: string) { super(context_id, root); }

  onResponseHeaders(headers: u32): FilterHeadersStatusValues {
    stream_context.headers.response.add(this.name, this.root_context.configuration);
    return FilterHeadersStatusValues.Continue;
  }
}

registerRootContext((context_id: u32) => new First(context_id), "first");
registerRootContext((context_id: u32) => new Second(context_id), "second");
