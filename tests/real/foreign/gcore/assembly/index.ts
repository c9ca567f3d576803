// The filter of scenarios.yaml, with the SDK that Gcore and Kong made of the first one.

export * from "@gcoredev/proxy-wasm-sdk-as/assembly/proxy";
import {
  BufferTypeValues, Context, Counter, FilterDataStatusValues, FilterHeadersStatusValues, Headers, LogLevelValues,
  RootContext, continue_request, get_buffer_bytes, log, makeHeaderPair, registerRootContext, send_http_response,
  set_buffer_bytes, stream_context,
} from "@gcoredev/proxy-wasm-sdk-as/assembly";

function named(headers: Headers, name: string): Headers {
  const found: Headers = [];
  for (let i = 0; i < headers.length; i++) {
    if (String.UTF8.decode(headers[i].key) == name) found.push(headers[i]);
  }
  return found;
}

class Root extends RootContext {
  counter: Counter | null = null;

  onConfigure(size: u32): bool {
    super.onConfigure(size);
    log(LogLevelValues.info, "configured with " + this.getConfiguration());
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
      send_http_response(418, "", body, [makeHeaderPair("x-pot", "tea")]);
      return FilterHeadersStatusValues.StopIteration;
    }
    request.remove("x-gone");
    request.replace("x-twice", "new");
    request.add("x-list", "filter");
    request.add("x-count", named(request.get_headers(), "x-list").length.toString());
    if (path != "/call") return FilterHeadersStatusValues.Continue;
    const question = [
      makeHeaderPair(":method", "GET"), makeHeaderPair(":path", "/ask"), makeHeaderPair(":authority", "auth"),
    ];
    this.root_context.httpCall("auth", question, new ArrayBuffer(0), [], 1000, this, () => {
      const status = named(stream_context.headers.http_callback.get_headers(), ":status");
      stream_context.headers.request.replace("x-auth", String.UTF8.decode(status[0].value));
      continue_request();
    });
    return FilterHeadersStatusValues.StopIteration;
  }

  onRequestBody(size: usize, end: bool): FilterDataStatusValues {
    if (!end) return FilterDataStatusValues.StopIterationAndBuffer;
    const body = String.UTF8.decode(get_buffer_bytes(BufferTypeValues.HttpRequestBody, 0, size as u32));
    set_buffer_bytes(BufferTypeValues.HttpRequestBody, 0, size as u32, String.UTF8.encode("<" + body + ">"));
    return FilterDataStatusValues.Continue;
  }

  onResponseHeaders(_count: u32, _end: bool): FilterHeadersStatusValues {
    const root = this.root_context as Root;
    stream_context.headers.response.replace("x-config", root.getConfiguration());
    root.counter!.increment(1);
    return FilterHeadersStatusValues.Continue;
  }
}

registerRootContext((id: u32) => new Root(id), "foreign");
