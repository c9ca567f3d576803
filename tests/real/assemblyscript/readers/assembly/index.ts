// The readers of texts, asked by the body of a request: what they make of it is the response.

export * from "@solo-io/proxy-runtime/proxy";
import {
  BufferTypeValues, Context, FilterDataStatusValues, FilterHeadersStatusValues, get_buffer_bytes, GrpcStatusValues,
  registerRootContext, RootContext, send_local_response, stream_context,
} from "@solo-io/proxy-runtime";
import { Config } from "weft/config";
import { Json, JsonKind } from "weft/json";
import { Regex } from "weft/regex";

class ReaderRoot extends RootContext {
  onConfigure(configuration_size: u32): bool {
    const config = Config.parse(this.configuration);
    config.string("name", "nobody");
    config.header_name("header", "hello");
    config.header_value("value", "world");
    config.bool("loud", false);
    config.integer("limit", 7, 1, 10);
    if (config.has("needed")) config.string("needed");
    const items = config.objects("items");
    for (let i = 0; i < items.length; i++) {
      items[i].string("id");
      items[i].integer("weight", -1, -5, 5);
    }
    return config.accepted();
  }

  createContext(context_id: u32): Context { return new Reader(context_id, this); }
}

class Reader extends Context {
  private path: string = "";

  onRequestHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    this.path = stream_context.headers.request.get(":path");
    return FilterHeadersStatusValues.Continue; // Envoy 1.40 shows no body to a filter that stops here
  }

  onRequestBody(body_buffer_length: usize, end_of_stream: bool): FilterDataStatusValues {
    if (end_of_stream) {
      const body = String.UTF8.decode(get_buffer_bytes(BufferTypeValues.HttpRequestBody, 0, <u32>body_buffer_length));
      const answer = this.path == "/json" ? read_json(body) : this.path == "/regex" ? match(body) : memory_used();
      send_local_response(200, "", String.UTF8.encode(answer), [], GrpcStatusValues.InvalidCode);
    }
    return FilterDataStatusValues.StopIterationAndBuffer;
  }
}

function read_json(text: string): string {
  const document = Json.parse(text);
  return document.error != "" ? "error: " + document.error : written(document);
}

/** In one way only: no spaces, numbers and keys as they came, every character of a string as \uXXXX. */
function written(value: Json): string {
  if (value.kind == JsonKind.Null) return "null";
  if (value.kind == JsonKind.String) return quoted(value.text);
  if (value.kind == JsonKind.Bool || value.kind == JsonKind.Number) return value.text;
  const parts: string[] = [];
  for (let i = 0; i < value.items.length; i++) {
    parts.push((value.kind == JsonKind.Object ? quoted(value.keys[i]) + ":" : "") + written(value.items[i]));
  }
  return value.kind == JsonKind.Object ? "{" + parts.join(",") + "}" : "[" + parts.join(",") + "]";
}

function quoted(text: string): string {
  let quoted = "\"";
  for (let i = 0; i < text.length; i++) quoted += "\\u" + text.charCodeAt(i).toString(16).padStart(4, "0");
  return quoted + "\"";
}

/** Pattern, zero, text: "yes", "no" or the error. */
function match(body: string): string {
  const at = body.indexOf("\0");
  const regex = new Regex(body.substring(0, at));
  return regex.error != "" ? "error: " + regex.error : regex.matches(body.substring(at + 1)) ? "yes" : "no";
}

function memory_used(): string { return memory.size().toString(); }

registerRootContext((context_id: u32) => new ReaderRoot(context_id), "my_filter");
