// Rewrites the paths of requests by regular expressions.

export * from "@solo-io/proxy-runtime/proxy"; // what Envoy calls
import {
  Context, FilterHeadersStatusValues, registerRootContext, RootContext, stream_context,
} from "@solo-io/proxy-runtime";
import { Config } from "weft/config";
import { Regex } from "weft/regex";

class Rewrite {
  constructor(public regex: Regex, public custom_path: string) {}
}

/** The filter as it is configured: one for all requests. */
class MyFilterRoot extends RootContext {
  private rewrites: Rewrite[] = [];

  onConfigure(configuration_size: u32): bool {
    const config = Config.parse(this.configuration);
    const items = config.objects("rewrites");
    this.rewrites = [];
    for (let i = 0; i < items.length; i++) {
      const regex = new Regex(items[i].string("regex_match"));
      if (regex.error != "") items[i].refuse("regex_match", "is not a regular expression: " + regex.error);
      this.rewrites.push(new Rewrite(regex, items[i].string("custom_path", "")));
    }
    return config.accepted();
  }

  createContext(context_id: u32): Context {
    return new MyFilter(context_id, this);
  }

  /** What `path` becomes; "" when it stays. */
  rewritten(path: string): string {
    for (let i = 0; i < this.rewrites.length; i++) {
      const rewrite = this.rewrites[i];
      if (rewrite.custom_path != "" && rewrite.regex.matches(path)) return rewrite.custom_path;
    }
    return "";
  }
}

/** One request and its response. */
class MyFilter extends Context {
  private original_path: string = "";

  constructor(context_id: u32, private root: MyFilterRoot) {
    super(context_id, root);
  }

  onRequestHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const request = stream_context.headers.request;
    const path = request.get(":path");
    const custom_path = this.root.rewritten(path);
    if (custom_path != "") {
      this.original_path = path;
      request.replace(":path", custom_path);
      request.replace("location", "envoy-wasm");
    }
    return FilterHeadersStatusValues.Continue;
  }

  onResponseHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    if (this.original_path != "") {
      stream_context.headers.response.replace("x-original-path", this.original_path);
    }
    return FilterHeadersStatusValues.Continue;
  }
}

registerRootContext((context_id: u32) => new MyFilterRoot(context_id), "my_filter");
