// The suite's filter: the path of a request, or what a connection says, names what it does with the host.
// Whatever comes back is logged, in the words of all other languages' filters.

export * from "@solo-io/proxy-runtime/proxy";
import {
  BaseContext, BufferTypeValues, call_foreign_function, close_stream, Context, continue_downstream,
  continue_request, continue_response, define_metric, dequeue_shared_queue, done, enqueue_shared_queue,
  FilterDataStatusValues, FilterHeadersStatusValues, FilterMetadataStatusValues, FilterStatusValues,
  FilterTrailersStatusValues, get_buffer_bytes, get_buffer_status, get_current_time_nanoseconds,
  get_header_map_size, get_log_level, get_metric, get_property, get_shared_data, get_status, grpc_cancel,
  grpc_close, grpc_send, GrpcStatusValues, HeaderMapTypeValues, Headers, HeaderStreamManipulator,
  increment_metric, log, LogLevelValues, makeHeaderPair, MetricTypeValues, PeerTypeValues, record_metric,
  register_shared_queue, registerRootContext, resolve_shared_queue, RootContext, send_local_response,
  set_buffer_bytes, set_property, set_shared_data, set_tick_period_milliseconds, stream_context,
  StreamTypeValues, WasmResultValues,
} from "@solo-io/proxy-runtime";

function info(line: string): void { log(LogLevelValues.info, line); }

function text(bytes: ArrayBuffer | null): string { return bytes === null ? "" : String.UTF8.decode(bytes); }

/** An envoy.config.core.v3.GrpcService that names an Envoy cluster. */
function service(cluster: string): ArrayBuffer {
  const size = cluster.length;
  return String.UTF8.encode("\n" + String.fromCharCode(size + 2) + "\n" + String.fromCharCode(size) + cluster);
}

class SuiteRoot extends RootContext {
  last_call: u32 = 0;

  onStart(size: usize): bool {
    info("started " + text(get_buffer_bytes(BufferTypeValues.VmConfiguration, 0, <u32>size)));
    return true;
  }

  onConfigure(size: u32): bool {
    info("configured " + this.configuration);
    register_shared_queue("letters");
    return this.configuration != "refuse";
  }

  onTick(): void {
    info("tick");
    set_tick_period_milliseconds(0);
  }

  onQueueReady(queue: u32): void {
    while (true) {
      const letter = dequeue_shared_queue(queue);
      if (letter.result != WasmResultValues.Ok) break;
      info("letter " + text(letter.data));
    }
    info("no more letters");
  }

  createContext(context_id: u32): Context { return new Suite(context_id, this); }
}

class Suite extends Context {
  path: string = "";

  constructor(context_id: u32, private root: SuiteRoot) { super(context_id, root); }

  onRequestHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    this.path = stream_context.headers.request.get(":path");
    if (this.path == "/headers") this.headers();
    else if (this.path == "/replace-all") {
      stream_context.headers.request.set_headers([
        makeHeaderPair(":method", "GET"), makeHeaderPair(":path", "/other"), makeHeaderPair(":authority", "other"),
        makeHeaderPair(":scheme", "http"), makeHeaderPair("x-only", "one"),
      ]);
    } else if (this.path == "/sizes") {
      info("headers of " + get_header_map_size(HeaderMapTypeValues.RequestHeaders).toString() + " bytes");
    } else if (this.path == "/reset") close_stream(StreamTypeValues.Request);
    else if (this.path == "/shared") this.shared();
    else if (this.path == "/queue") this.queue();
    else if (this.path == "/across") this.across();
    else if (this.path == "/metrics") this.metrics();
    else if (this.path == "/properties") this.properties();
    else if (this.path == "/time") {
      const first = get_current_time_nanoseconds();
      info(first > 0 && get_current_time_nanoseconds() >= first ? "time passes" : "time is odd");
    } else if (this.path == "/levels") this.levels();
    else if (this.path == "/foreign") this.foreign();
    else if (this.path == "/tick") set_tick_period_milliseconds(100);
    else if (this.path == "/done") info(done() == WasmResultValues.NotFound ? "nobody waits" : "done");
    else if (this.path == "/grpc") this.grpc();
    else if (this.path == "/local") {
      send_local_response(418, "teapot", String.UTF8.encode("short and stout\n"),
        [makeHeaderPair("x-pot", "tea")], GrpcStatusValues.InvalidCode);
      return FilterHeadersStatusValues.StopIteration;
    } else if (this.path == "/ask") {
      this.ask((context: BaseContext, headers: u32, body_size: usize, trailers: u32) => {
        answered(headers, body_size, trailers);
        continue_request();
      });
      return FilterHeadersStatusValues.StopIteration;
    }
    return FilterHeadersStatusValues.Continue;
  }

  onRequestBody(size: usize, end_of_stream: bool): FilterDataStatusValues {
    return this.body(BufferTypeValues.HttpRequestBody, <u32>size);
  }

  onRequestTrailers(trailers: u32): FilterTrailersStatusValues {
    return this.trailers(stream_context.trailers.request);
  }

  onRequestMetadata(elements: u32): FilterMetadataStatusValues {
    info("request metadata " + elements.toString());
    return FilterMetadataStatusValues.Continue;
  }

  onResponseHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const response = stream_context.headers.response;
    if (this.path == "/headers") {
      info("status " + response.get(":status"));
      response.add("x-list", "second");
      response.replace("x-old", "new");
      response.remove("x-gone");
    }
    if (this.path == "/hold") {
      this.ask((context: BaseContext, headers: u32, body_size: usize, trailers: u32) => {
        answered(headers, body_size, trailers);
        continue_response();
      });
      return FilterHeadersStatusValues.StopIteration;
    }
    return FilterHeadersStatusValues.Continue;
  }

  onResponseBody(size: usize, end_of_stream: bool): FilterDataStatusValues {
    return this.body(BufferTypeValues.HttpResponseBody, <u32>size);
  }

  onResponseTrailers(trailers: u32): FilterTrailersStatusValues {
    return this.trailers(stream_context.trailers.response);
  }

  onResponseMetadata(elements: u32): FilterMetadataStatusValues {
    info("response metadata " + elements.toString());
    return FilterMetadataStatusValues.Continue;
  }

  onLog(): void { info("log"); }

  onNewConnection(): FilterStatusValues {
    info("new connection");
    return FilterStatusValues.Continue;
  }

  onDownstreamData(size: usize, end: bool): FilterStatusValues {
    return this.relay("down", BufferTypeValues.NetworkDownstreamData, <u32>size);
  }

  onUpstreamData(size: usize, end: bool): FilterStatusValues {
    return this.relay("up", BufferTypeValues.NetworkUpstreamData, <u32>size);
  }

  onDownstreamConnectionClose(peer: PeerTypeValues): void { info("down closed"); }

  onUpstreamConnectionClose(peer: PeerTypeValues): void { info("up closed"); }

  on_grpc_receive_initial_metadata(token: u32, headers: u32): void {
    info("initial " + new HeaderStreamManipulator(HeaderMapTypeValues.GrpcReceiveInitialMetadata).get("x-initial"));
  }

  on_grpc_receive(token: u32, size: u32): void {
    info("message " + text(get_buffer_bytes(BufferTypeValues.GrpcReceiveBuffer, 0, size)));
  }

  on_grpc_trailing_metadata(token: u32, trailers: u32): void {
    info("trailing " + new HeaderStreamManipulator(HeaderMapTypeValues.GrpcReceiveTrailingMetadata).get("x-trailing"));
  }

  on_grpc_close(token: u32, status_code: u32): void {
    info("closed " + status_code.toString());
    const status = get_status();
    info("status " + status.status.toString() + " " + text(status.data));
  }

  private headers(): void {
    const request = stream_context.headers.request;
    info("x-in " + request.get("x-in"));
    request.add("x-list", "second");
    request.replace("x-old", "new");
    request.remove("x-gone");
    const all = request.get_headers();
    let ours = 0;
    for (let i = 0; i < all.length; i++) ours += i32(all[i].name.startsWith("x-"));
    info(ours.toString() + " of ours");
  }

  private shared(): void {
    if (get_shared_data("key").result == WasmResultValues.NotFound) info("nothing shared");
    set_shared_data("key", String.UTF8.encode("one"));
    const first = get_shared_data("key");
    info("shared " + text(first.value));
    const late = set_shared_data("key", String.UTF8.encode("lost"), <u32>first.cas + 1);
    if (late == WasmResultValues.CasMismatch) info("too late");
    set_shared_data("key", String.UTF8.encode("two"), <u32>first.cas);
    info("shared " + text(get_shared_data("key").value));
  }

  private vm(): string { return text(get_property("plugin_vm_id")); }

  private post(vm: string, letter: string): void {
    const queue = resolve_shared_queue(vm, "letters");
    if (queue.result == WasmResultValues.Ok) enqueue_shared_queue(queue.token, String.UTF8.encode(letter));
  }

  private queue(): void {
    if (resolve_shared_queue(this.vm(), "nothing").result == WasmResultValues.NotFound) info("no such queue");
    this.post(this.vm(), "at home");
  }

  /** The first filter tells where its queue is; the next one writes to it. */
  private across(): void {
    const request = stream_context.headers.request;
    const other = request.get("x-vm");
    if (other == "") {
      request.add("x-vm", this.vm());
    } else {
      request.remove("x-vm");
      this.post(other, "from afar");
    }
  }

  private metrics(): void {
    const counter = define_metric(MetricTypeValues.Counter, "suite_counter").metric_id;
    increment_metric(counter, 3);
    info("counter " + get_metric(counter).data.toString());
    const gauge = define_metric(MetricTypeValues.Gauge, "suite_gauge").metric_id;
    increment_metric(gauge, 9);
    increment_metric(gauge, -2);
    info("gauge " + get_metric(gauge).data.toString());
    record_metric(define_metric(MetricTypeValues.Histogram, "suite_histogram").metric_id, 12);
  }

  private properties(): void {
    info("path " + text(get_property("request\0path")));
    if (get_property("no\0such").byteLength == 0) info("no such property");
    set_property("mine", String.UTF8.encode("yes"));
    info("mine " + text(get_property("mine")));
  }

  private levels(): void {
    info("level " + get_log_level().toString());
    log(LogLevelValues.trace, "at trace");
    log(LogLevelValues.debug, "at debug");
    log(LogLevelValues.warn, "at warn");
    log(LogLevelValues.error, "at error");
    log(LogLevelValues.critical, "at critical");
  }

  /** The SDK takes text alone as an argument. */
  private foreign(): void {
    if (call_foreign_function("nothing", "x").byteLength == 0) info("no such function");
    if (call_foreign_function("compress", "a".repeat(32)).byteLength > 0) info("again " + "a".repeat(32));
    call_foreign_function("clear_route_cache", "");
    info("another route");
  }

  private ask(then: (context: BaseContext, headers: u32, body_size: usize, trailers: u32) => void): void {
    const question: Headers = [
      makeHeaderPair(":method", "GET"), makeHeaderPair(":path", "/ask"), makeHeaderPair(":authority", "a"),
    ];
    this.root.httpCall(
      "a", question, String.UTF8.encode("question"), [makeHeaderPair("x-sum", "1")], 2000, this, then);
  }

  private grpc(): void {
    const request = stream_context.headers.request;
    const message = String.UTF8.encode(request.get("x-message"));
    const mine = [makeHeaderPair("x-mine", "yes")];
    const words = request.get("x-do").split(" ");
    for (let i = 0; i < words.length; i++) {
      const word = words[i], last = this.root.last_call;
      if (word == "call") {
        this.root.last_call =
          this.root.grpc_call(service("a"), "demo.Echo", "Say", mine, message, 2000, this).token;
      } else if (word == "stream") {
        this.root.last_call = this.root.grpc_stream(service("a"), "demo.Echo", "Chat", mine, this).token;
      } else if (word == "send") grpc_send(last, message, false);
      else if (word == "last") grpc_send(last, message, true);
      else if (word == "close") grpc_close(last);
      else if (word == "cancel") grpc_cancel(last);
    }
  }

  private body(buffer: BufferTypeValues, size: u32): FilterDataStatusValues {
    if (this.path == "/sizes") info("body of " + get_buffer_status(buffer).length.toString() + " bytes");
    if (this.path == "/body" && size > 0) {
      const held = text(get_buffer_bytes(buffer, 0, size));
      info("body " + held);
      set_buffer_bytes(buffer, 0, size, String.UTF8.encode("<" + held + ">"));
    }
    return FilterDataStatusValues.Continue;
  }

  private trailers(trailers: HeaderStreamManipulator): FilterTrailersStatusValues {
    if (this.path == "/body") {
      info("x-sum " + trailers.get("x-sum"));
      trailers.add("x-list", "second");
      trailers.replace("x-old", "new");
      trailers.remove("x-gone");
    }
    return FilterTrailersStatusValues.Continue;
  }

  private relay(side: string, buffer: BufferTypeValues, size: u32): FilterStatusValues {
    const data = text(get_buffer_bytes(buffer, 0, size));
    info(side + " " + data);
    if (data.includes("change")) set_buffer_bytes(buffer, 0, size, String.UTF8.encode("changed"));
    if (data.includes("close down")) close_stream(StreamTypeValues.Downstream);
    if (data.includes("close up")) close_stream(StreamTypeValues.Upstream);
    if (!data.includes("hold")) return FilterStatusValues.Continue;
    this.ask((context: BaseContext, headers: u32, body_size: usize, trailers: u32) => {
      answered(headers, body_size, trailers);
      continue_downstream();
    });
    return FilterStatusValues.StopIteration;
  }
}

function answered(headers: u32, body_size: usize, trailers: u32): void {
  const status = headers > 0 ? stream_context.headers.http_callback.get(":status") : "failed";
  const body = text(get_buffer_bytes(BufferTypeValues.HttpCallResponseBody, 0, <u32>body_size));
  info("answer " + status + " " + body + " " + trailers.toString());
}

registerRootContext((context_id: u32) => new SuiteRoot(context_id), "suite");
