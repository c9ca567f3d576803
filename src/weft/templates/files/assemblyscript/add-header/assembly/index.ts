// Adds a header to every response.

export * from "@solo-io/proxy-runtime/proxy"; // what Envoy calls
import {
  Context, FilterHeadersStatusValues, registerRootContext, RootContext, stream_context,
} from "@solo-io/proxy-runtime";
import { Config } from "weft/config";

/** The filter as it is configured: one for all requests. */
class MyFilterRoot extends RootContext {
  name: string = "";
  value: string = "";

  onConfigure(configuration_size: u32): bool {
    const config = Config.parse(this.configuration);
    this.name = config.header_name("name", "hello");
    this.value = config.header_value("value", "world");
    return config.accepted();
  }

  createContext(context_id: u32): Context {
    return new MyFilter(context_id, this);
  }
}

/** One request and its response. */
class MyFilter extends Context {
  constructor(context_id: u32, private root: MyFilterRoot) {
    super(context_id, root);
  }

  onResponseHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    stream_context.headers.response.add(this.root.name, this.root.value);
    return FilterHeadersStatusValues.Continue;
  }
}

registerRootContext((context_id: u32) => new MyFilterRoot(context_id), "my_filter");
