// The filter of scenarios.yaml, with the SDK that wasme's templates had.

export * from "@solo-io/proxy-runtime/proxy";
import {
  Context, Counter, FilterDataStatusValues, FilterHeadersStatusValues, GrpcStatusValues, HeaderPair, Headers,
  LogLevelValues, RootContext, continue_request, log, registerRootContext, send_local_response, stream_context,
} from "@solo-io/proxy-runtime";
import { BufferTypeValues, get_buffer_bytes } from "@solo-io/proxy-runtime/runtime";

// The SDK can read bodies, not change them; filters declared what it lacks.
// @ts-ignore: decorator
@external("env", "proxy_set_buffer_bytes")
declare function proxy_set_buffer_bytes(kind: u32, start: u32, length: u32, data: usize, size: u32): u32;

function pair(name: string, value: string): HeaderPair {
  return new HeaderPair(String.UTF8.encode(name), String.UTF8.encode(value));
}

function named(headers: Headers, name: string): Headers {
  let found: Headers = [];
  for (let i = 0; i < headers.length; i++) {
    if (String.UTF8.decode(headers[i].key) == name) found.push(headers[i]);
  }
  return found;
}

class Root extends RootContext {
  config: string = "";
  counter: Counter | null = null;

  onConfigure(size: u32): bool { // the SDK's own reads the config to a wrong place
    this.config = String.UTF8.decode(get_buffer_bytes(BufferTypeValues.PluginConfiguration, 0, size));
    log(LogLevelValues.info, "configured with " + this.config);
    this.counter = new Counter("foreign_responses");
    return true;
  }

  createContext(id: u32): Context {
    return new Stream(id, this);
  }
}

class Stream extends Context {
  onRequestHeaders(_count: u32, _end: bool): FilterHeadersStatusValues {
    const request = stream_context.headers.request;
    const path = request.get(":path");
    if (path == "/local") {
      const body = String.UTF8.encode("short and stout\n");
      send_local_response(418, "", body, [pair("x-pot", "tea")], -1 as GrpcStatusValues);
      return FilterHeadersStatusValues.StopIteration;
    }
    request.remove("x-gone");
    request.replace("x-twice", "new");
    request.add("x-list", "filter");
    request.add("x-count", named(request.get_headers(), "x-list").length.toString());
    if (path != "/call") return FilterHeadersStatusValues.Continue;
    const question = [pair(":method", "GET"), pair(":path", "/ask"), pair(":authority", "auth")];
    this.root_context.httpCall("auth", question, new ArrayBuffer(0), [], 1000, this, (stream) => {
      const status = named(stream_context.headers.http_callback.get_headers(), ":status");
      stream_context.headers.request.replace("x-auth", String.UTF8.decode(status[0].value));
      continue_request();
    });
    return FilterHeadersStatusValues.StopIteration;
  }

  onRequestBody(size: usize, end: bool): FilterDataStatusValues {
    if (!end) return FilterDataStatusValues.StopIterationAndBuffer;
    const body = String.UTF8.decode(get_buffer_bytes(BufferTypeValues.HttpRequestBody, 0, size as u32));
    const longer = String.UTF8.encode("<" + body + ">");
    proxy_set_buffer_bytes(BufferTypeValues.HttpRequestBody, 0, size as u32, changetype<usize>(longer), longer.byteLength);
    return FilterDataStatusValues.Continue;
  }

  onResponseHeaders(_count: u32, _end: bool): FilterHeadersStatusValues {
    const root = this.root_context as Root;
    stream_context.headers.response.replace("x-config", root.config);
    root.counter!.increment(1);
    return FilterHeadersStatusValues.Continue;
  }
}

registerRootContext((id: u32) => new Root(id), "foreign");
