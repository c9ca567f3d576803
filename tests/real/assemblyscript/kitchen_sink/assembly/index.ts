// Everything the SDK has, chosen by the path of the request: `/local` does what `local` below does.

export * from "@solo-io/proxy-runtime/assembly/proxy";
import {
  BaseContext, BufferTypeValues, call_foreign_function, Context, continue_request, continue_response, Counter,
  define_metric, dequeue_shared_queue, done, enqueue_shared_queue, FilterDataStatusValues,
  FilterHeadersStatusValues, FilterTrailersStatusValues, Gauge, get_buffer_bytes, get_buffer_status,
  get_current_time_nanoseconds, get_header_map_size, get_header_map_value, get_log_level, get_metric, get_property,
  get_shared_data, GrpcStatusValues, HeaderMapTypeValues, HeaderPair, Headers, Histogram,
  increment_metric, log, LogLevelValues, makeHeaderPair, MetricTypeValues, record_metric, register_shared_queue,
  registerRootContext, resolve_shared_queue, RootContext, send_local_response, set_buffer_bytes, set_property,
  set_shared_data, set_tick_period_milliseconds, stream_context, WasmResultValues,
} from "@solo-io/proxy-runtime/assembly";
import { clear_route_cache } from "@solo-io/proxy-runtime/runtime";

class SinkRoot extends RootContext {
  queue: u32 = 0;
  ticks: u32 = 0;
  unfinished: BaseContext | null = null;

  onConfigure(configuration_size: u32): bool {
    this.queue = register_shared_queue("letters").token;
    log(LogLevelValues.info, "configured with " + configuration_size.toString() + " bytes: " + this.getConfiguration());
    return this.configuration != "refuse";
  }

  onQueueReady(token: u32): void {
    const item = dequeue_shared_queue(token);
    const data = item.data;
    if (data !== null) log(LogLevelValues.info, "queue: " + String.UTF8.decode(data));
    const empty = dequeue_shared_queue(token);
    log(LogLevelValues.info, "queue then: " + empty.result.toString());
  }

  onTick(): void {
    this.ticks++;
    set_tick_period_milliseconds(0);
    log(LogLevelValues.info, "ticked");
    this.httpCall("upstream", question("/from-tick"), new ArrayBuffer(0), [], 5000, this,
      (context: BaseContext, headers: u32, body_size: usize, trailers: u32) => {
        log(LogLevelValues.info, "tick answered, context " + context.context_id.toString());
      });
    const unfinished = this.unfinished;
    if (unfinished !== null) {
      unfinished.setEffectiveContext();
      done();
      this.unfinished = null;
    }
  }

  createContext(context_id: u32): Context { return new Sink(context_id, this); }
}

function question(path: string): Headers {
  return [makeHeaderPair(":method", "POST"), makeHeaderPair(":path", path), makeHeaderPair(":authority", "sink")];
}

class Sink extends Context {
  path: string = "";
  late: bool = false;

  constructor(context_id: u32, private root: SinkRoot) { super(context_id, root); }

  onRequestHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    this.path = stream_context.headers.request.get(":path");
    if (this.path == "/headers") this.headers();
    else if (this.path == "/list") this.list();
    else if (this.path == "/local") this.local();
    else if (this.path == "/metrics") this.metrics();
    else if (this.path == "/shared") this.shared();
    else if (this.path == "/properties") this.properties();
    else if (this.path == "/time") this.time();
    else if (this.path == "/reroute") {
      stream_context.headers.request.replace(":path", "/routed");
      clear_route_cache();
    } else if (this.path == "/tick") set_tick_period_milliseconds(10);
    else if (this.path == "/call") return this.call("upstream");
    else if (this.path == "/call-nobody") return this.call("nobody");
    else if (this.path == "/call-unknown") return this.call("unknown");
    else if (this.path == "/grpc") return this.grpc();
    else if (this.path == "/throw") throw new Error("thrown on purpose");
    return FilterHeadersStatusValues.Continue;
  }

  headers(): void {
    const request = stream_context.headers.request;
    request.add("x-twice", "2");
    request.replace("x-old", "new");
    request.remove("x-gone");
    request.add("x-seen", request.get("x-long").length.toString() + " " + request.get("x-missing") + "|");
    request.add("x-unicode", request.get("x-unicode-in") + " é ✓ 🦊 \uD800");
    request.add("x-large", "0123456789".repeat(900));
    const raw = get_header_map_value(HeaderMapTypeValues.RequestHeaders, String.UTF8.encode("x-raw"));
    request.add("x-raw-size", raw.byteLength.toString());
    request.add("x-size", (get_header_map_size(HeaderMapTypeValues.RequestHeaders) > 9000).toString());
  }

  list(): void {
    const request = stream_context.headers.request;
    const kept: Headers = [];
    const all = request.get_headers();
    for (let i = 0; i < all.length; i++) {
      if (all[i].name != "x-a") kept.push(all[i]);
    }
    kept.push(makeHeaderPair("x-list", all.length.toString()));
    kept.push(new HeaderPair(String.UTF8.encode("x-empty"), new ArrayBuffer(0)));
    request.set_headers(kept);
  }

  local(): void {
    send_local_response(418, "teapot", String.UTF8.encode("short and stout\n"),
      [makeHeaderPair("x-pot", "tea"), makeHeaderPair("x-pot", "more tea")], GrpcStatusValues.InvalidCode);
  }

  answer(text: string): void {
    send_local_response(200, "answer", String.UTF8.encode(text), [], GrpcStatusValues.InvalidCode);
  }

  metrics(): void {
    const counter = new Counter("sink_counter");
    counter.increment();
    counter.increment(4);
    const gauge = new Gauge("sink_gauge");
    gauge.increment(10);
    gauge.increment(-3);
    const level = gauge.get();
    gauge.record(70);
    new Histogram("sink_histogram").record(12);
    const plain = define_metric(MetricTypeValues.Counter, "sink_plain");
    increment_metric(plain.metric_id, 2);
    record_metric(define_metric(MetricTypeValues.Gauge, "sink_recorded").metric_id, 9);
    this.answer([
      counter.get().toString(), level.toString(), gauge.get().toString(),
      get_metric(plain.metric_id).data.toString(), get_metric(12345).result.toString(),
    ].join(" "));
  }

  shared(): void {
    const before = get_shared_data("key").result;
    set_shared_data("key", String.UTF8.encode("first"));
    const first = get_shared_data("key");
    const taken = set_shared_data("key", String.UTF8.encode("second"), <u32>first.cas);
    const late = set_shared_data("key", String.UTF8.encode("third"), <u32>first.cas);
    const value = get_shared_data("key").value;
    const queue = resolve_shared_queue("vm", "letters");
    enqueue_shared_queue(queue.token, String.UTF8.encode("a letter"));
    this.answer([
      before.toString(), taken.toString(), late.toString(), value !== null ? String.UTF8.decode(value) : "null",
      (queue.token == this.root.queue).toString(), resolve_shared_queue("vm", "nothing").result.toString(),
    ].join(" "));
  }

  properties(): void {
    set_property("own", String.UTF8.encode("mine"));
    this.answer([
      String.UTF8.decode(get_property("request\0path")), String.UTF8.decode(get_property("plugin_name")),
      String.UTF8.decode(get_property("own")), get_property("no\0such").byteLength.toString(),
      call_foreign_function("compress", "aaaaaaaa").byteLength.toString(),
      call_foreign_function("no such function", "").byteLength.toString(),
    ].join(" "));
  }

  time(): void {
    const nanoseconds = get_current_time_nanoseconds();
    const apart = Date.now() - <i64>(nanoseconds / 1000000);
    console.log("console says " + get_log_level().toString());
    console.assert(false, "as it should");
    trace("traced", 2, 1, 2.5);
    const random = Math.random();
    this.answer([
      (nanoseconds / 1000000000).toString(), (apart >= 0 && apart < 10000).toString(),
      (random >= 0 && random < 1).toString(),
    ].join(" "));
  }

  call(cluster: string): FilterHeadersStatusValues {
    const headers = question("/called");
    const wait = stream_context.headers.request.get("x-wait");
    if (wait != "") headers.push(makeHeaderPair("x-wait", wait));
    const result = this.root_context.httpCall(
      cluster, headers, String.UTF8.encode("a question"), [], 2000, this,
      (context: BaseContext, headers: u32, body_size: usize, trailers: u32) => {
        (context as Sink).called(headers, <u32>body_size, trailers);
      });
    if (result != WasmResultValues.Ok) this.answer("not called: " + result.toString());
    return FilterHeadersStatusValues.StopAllIterationAndWatermark;
  }

  called(headers: u32, body_size: u32, trailers: u32): void {
    const request = stream_context.headers.request;
    request.add("x-call-status", stream_context.headers.http_callback.get(":status"));
    request.add("x-call-from", stream_context.headers.http_callback.get("x-from"));
    request.add("x-call-body", String.UTF8.decode(get_buffer_bytes(BufferTypeValues.HttpCallResponseBody, 0, body_size)));
    request.add("x-call-trailer", stream_context.trailers.http_callback.get("x-trailer"));
    request.add("x-call-counts", (headers > 0).toString() + " " + trailers.toString());
    continue_request();
  }

  grpc(): FilterHeadersStatusValues {
    const call = this.root.grpc_call(String.UTF8.encode("nobody"), "some.Service", "Method",
      [makeHeaderPair("x-meta", "data")], new ArrayBuffer(3), 1000, this);
    if (call.result != WasmResultValues.Ok) this.answer("not called: " + call.result.toString());
    return FilterHeadersStatusValues.StopAllIterationAndWatermark;
  }

  on_grpc_close(token: u32, status_code: u32): void {
    this.answer("grpc closed: " + status_code.toString());
  }

  onRequestBody(body_buffer_length: usize, end_of_stream: bool): FilterDataStatusValues {
    if (this.path != "/body") return FilterDataStatusValues.Continue;
    if (!end_of_stream) return FilterDataStatusValues.StopIterationAndBuffer;
    const status = get_buffer_status(BufferTypeValues.HttpRequestBody);
    const body = get_buffer_bytes(BufferTypeValues.HttpRequestBody, 0, <u32>status.length);
    log(LogLevelValues.info, "body of " + body.byteLength.toString() + " bytes");
    set_buffer_bytes(BufferTypeValues.HttpRequestBody, 0, 0, String.UTF8.encode("<"));
    set_buffer_bytes(BufferTypeValues.HttpRequestBody, <u32>status.length + 1, 0, String.UTF8.encode(">"));
    return FilterDataStatusValues.Continue;
  }

  onRequestTrailers(trailers: u32): FilterTrailersStatusValues {
    const request = stream_context.trailers.request;
    request.replace("x-checked", request.get("x-sum") + " of " + trailers.toString());
    request.remove("x-sum");
    return FilterTrailersStatusValues.Continue;
  }

  onResponseHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    if (this.path == "/headers") {
      stream_context.headers.response.add("x-from", "filter");
      stream_context.headers.response.replace("x-status", stream_context.headers.response.get(":status"));
    }
    return FilterHeadersStatusValues.Continue;
  }

  onResponseBody(body_buffer_length: usize, end_of_stream: bool): FilterDataStatusValues {
    if (this.path == "/body" && body_buffer_length > 0) {
      set_buffer_bytes(BufferTypeValues.HttpResponseBody, 0, <u32>body_buffer_length, String.UTF8.encode("replaced"));
      continue_response();
    }
    return FilterDataStatusValues.Continue;
  }

  onResponseTrailers(trailers: u32): FilterTrailersStatusValues {
    stream_context.trailers.response.add("x-added", "by the filter");
    return FilterTrailersStatusValues.Continue;
  }

  onDone(): bool {
    if (this.path != "/unfinished") return true;
    this.late = true;
    this.root.unfinished = this;
    set_tick_period_milliseconds(50);
    return false;
  }

  onLog(): void {
    log(LogLevelValues.info, "access " + this.path + " " + stream_context.headers.response.get(":status"));
  }

  onDelete(): void {
    log(LogLevelValues.info, "deleted " + this.path + (this.late ? " late" : ""));
  }
}

registerRootContext((context_id: u32) => new SinkRoot(context_id), "my_filter");
