// Asks an authorization service about every request, and lets nothing pass without its yes.

export * from "@solo-io/proxy-runtime/proxy"; // what Envoy calls
import {
  BaseContext, Context, continue_request, FilterHeadersStatusValues, GrpcStatusValues, Headers, makeHeaderPair,
  registerRootContext, RootContext, send_local_response, stream_context, WasmResultValues,
} from "@solo-io/proxy-runtime";
import { Config } from "weft/config";

/** The filter as it is configured: one for all requests. */
class MyFilterRoot extends RootContext {
  cluster: string = "";
  authority: string = "";
  path: string = "";
  timeout_ms: u32 = 0;

  onConfigure(configuration_size: u32): bool {
    const config = Config.parse(this.configuration);
    this.cluster = config.string("cluster", "auth-cluster");
    this.authority = config.string("authority", "auth");
    this.path = config.string("path", "/");
    this.timeout_ms = <u32>config.integer("timeout_ms", 1000, 1);
    if (this.cluster == "") config.refuse("cluster", "must not be empty");
    if (this.authority == "") config.refuse("authority", "must not be empty");
    if (!this.path.startsWith("/")) config.refuse("path", "must start with /");
    return config.accepted();
  }

  createContext(context_id: u32): Context {
    return new MyFilter(context_id, this);
  }
}

/** One request and its response. */
class MyFilter extends Context {
  private allowed: bool = false;

  constructor(context_id: u32, private root: MyFilterRoot) {
    super(context_id, root);
  }

  onRequestHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const request = stream_context.headers.request;
    const question: Headers = [
      makeHeaderPair(":method", "GET"),
      makeHeaderPair(":path", this.root.path),
      makeHeaderPair(":authority", this.root.authority),
      makeHeaderPair("x-original-path", request.get(":path")),
    ];
    const authorization = request.get("authorization");
    if (authorization != "") question.push(makeHeaderPair("authorization", authorization));

    const sent = this.root.httpCall(
      this.root.cluster, question, new ArrayBuffer(0), [], this.root.timeout_ms, this,
      (context: BaseContext, headers: u32, body_size: usize, trailers: u32) => {
        (context as MyFilter).onAnswer(headers);
      });
    if (sent != WasmResultValues.Ok) this.refuse();
    return FilterHeadersStatusValues.StopAllIterationAndWatermark; // body and all, until continue_request
  }

  /** `headers` is 0 when the call failed or took too long. */
  onAnswer(headers: u32): void {
    this.allowed = headers != 0 && stream_context.headers.http_callback.get(":status") == "200";
    if (this.allowed) continue_request();
    else this.refuse();
  }

  refuse(): void {
    send_local_response(
      403, "not authorized", String.UTF8.encode("not authorized\n"), [], GrpcStatusValues.InvalidCode);
  }

  onResponseHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    if (this.allowed) stream_context.headers.response.replace("x-ext-auth", "allowed");
    return FilterHeadersStatusValues.Continue;
  }
}

registerRootContext((context_id: u32) => new MyFilterRoot(context_id), "my_filter");
