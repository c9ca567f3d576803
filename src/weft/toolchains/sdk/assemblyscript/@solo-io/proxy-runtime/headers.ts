// Headers and trailers: of the request, of the response, and of answers to calls.

import * as host from "./imports";
import { HeaderMapTypeValues, WasmResultValues } from "./values";
import {
  answered_u32, first_answer, most, put, put_bytes, received_buffer, received_string, room, second_answer,
} from "./wire";

/** One header; the bytes as they are on the wire. */
export class HeaderPair {
  constructor(public key: ArrayBuffer, public value: ArrayBuffer) {}

  get name(): string { return String.UTF8.decode(this.key); }
  get text(): string { return String.UTF8.decode(this.value); }

  toString(): string { return this.name + ":" + this.text; }
}

export type Headers = Array<HeaderPair>;

export function makeHeaderPair(key: string, value: string): HeaderPair {
  return new HeaderPair(String.UTF8.encode(key), String.UTF8.encode(value));
}

// On the wire a list of headers is: how many; the two sizes of each; then every name and value,
// each with a zero byte behind it.

/** How many bytes `headers` take on the wire. */
export function size_of_pairs(headers: Headers): usize {
  let size: usize = 4;
  for (let i = 0; i < headers.length; i++) {
    size += 10 + headers[i].key.byteLength + headers[i].value.byteLength;
  }
  return size;
}

/** Write `headers` at `at` and say how many bytes they took. */
export function put_pairs(headers: Headers, at: usize): usize {
  const count = headers.length;
  store<u32>(at, count);
  let sizes = at + 4;
  let data = sizes + 8 * count;
  for (let i = 0; i < count; i++, sizes += 8) {
    const key = headers[i].key, value = headers[i].value;
    store<u32>(sizes, key.byteLength);
    store<u32>(sizes, value.byteLength, 4);
    data = put_item(value, put_item(key, data));
  }
  return data - at;
}

function put_item(bytes: ArrayBuffer, at: usize): usize {
  const end = at + put_bytes(bytes, at);
  store<u8>(end, 0);
  return end + 1;
}

/** Read what the host wrote; a list that contradicts itself gives what fits. */
function read_pairs(buffer: ArrayBuffer): Headers {
  const from = changetype<usize>(buffer);
  const size = <usize>buffer.byteLength;
  const headers: Headers = [];
  if (size < 4) return headers;
  const count = <usize>load<u32>(from);
  let data: usize = 4 + 8 * count;
  for (let i: usize = 0; i < count && data <= size; i++) {
    const key_size = <usize>load<u32>(from + 4 + 8 * i);
    const value_size = <usize>load<u32>(from + 8 + 8 * i);
    const value_at: usize = data + key_size + 1;
    if (value_at + value_size > size) break;
    headers.push(new HeaderPair(
      buffer.slice(<i32>data, <i32>(data + key_size)),
      buffer.slice(<i32>value_at, <i32>(value_at + value_size))));
    data = value_at + value_size + 1;
  }
  return headers;
}

// Names and values as text

/** Append a header, even where one of this name is there already. */
export function add_header_map_value_string(
  typ: HeaderMapTypeValues, key: string, value: string): WasmResultValues {
  const at = room(most(key) + most(value));
  const key_size = put(key, at);
  const value_size = put(value, at + key_size);
  return host.proxy_add_header_map_value(typ, at, key_size, at + key_size, value_size);
}

/** Set a header: all of this name become one. */
export function replace_header_map_value_string(
  typ: HeaderMapTypeValues, key: string, value: string): WasmResultValues {
  const at = room(most(key) + most(value));
  const key_size = put(key, at);
  const value_size = put(value, at + key_size);
  return host.proxy_replace_header_map_value(typ, at, key_size, at + key_size, value_size);
}

/** The value of a header, "" where there is none. */
export function get_header_map_value_string(typ: HeaderMapTypeValues, key: string): string {
  const at = room(most(key));
  const result = host.proxy_get_header_map_value(typ, at, put(key, at), first_answer(), second_answer());
  return result == WasmResultValues.Ok ? received_string() : "";
}

/** Take away every header of this name. */
export function remove_header_map_value_string(typ: HeaderMapTypeValues, key: string): WasmResultValues {
  const at = room(most(key));
  return host.proxy_remove_header_map_value(typ, at, put(key, at));
}

// Names and values as bytes: exactly what is on the wire, and nothing to encode.

export function add_header_map_value(
  typ: HeaderMapTypeValues, key: ArrayBuffer, value: ArrayBuffer): WasmResultValues {
  return host.proxy_add_header_map_value(
    typ, changetype<usize>(key), key.byteLength, changetype<usize>(value), value.byteLength);
}

export function replace_header_map_value(
  typ: HeaderMapTypeValues, key: ArrayBuffer, value: ArrayBuffer): WasmResultValues {
  return host.proxy_replace_header_map_value(
    typ, changetype<usize>(key), key.byteLength, changetype<usize>(value), value.byteLength);
}

/** The value of a header, an empty buffer where there is none. */
export function get_header_map_value(typ: HeaderMapTypeValues, key: ArrayBuffer): ArrayBuffer {
  const result = host.proxy_get_header_map_value(
    typ, changetype<usize>(key), key.byteLength, first_answer(), second_answer());
  return result == WasmResultValues.Ok ? received_buffer() : new ArrayBuffer(0);
}

export function remove_header_map_value(typ: HeaderMapTypeValues, key: ArrayBuffer): WasmResultValues {
  return host.proxy_remove_header_map_value(typ, changetype<usize>(key), key.byteLength);
}

// Whole lists

export function get_header_map_pairs(typ: HeaderMapTypeValues): Headers {
  const result = host.proxy_get_header_map_pairs(typ, first_answer(), second_answer());
  return result == WasmResultValues.Ok ? read_pairs(received_buffer()) : [];
}

export function set_header_map_pairs(typ: HeaderMapTypeValues, headers: Headers): WasmResultValues {
  const at = room(size_of_pairs(headers));
  return host.proxy_set_header_map_pairs(typ, at, put_pairs(headers, at));
}

/** Bytes of all names and values together. */
export function get_header_map_size(typ: HeaderMapTypeValues): usize {
  const result = host.proxy_get_header_map_size(typ, first_answer());
  return result == WasmResultValues.Ok ? <usize>answered_u32() : 0;
}

/** The headers of one side, as `stream_context.headers.response`. */
export class HeaderStreamManipulator {
  constructor(public typ: HeaderMapTypeValues) {}

  /** Append a header, even where one of this name is there already. */
  add(key: string, value: string): WasmResultValues { return add_header_map_value_string(this.typ, key, value); }

  /** Set a header: all of this name become one. */
  replace(key: string, value: string): WasmResultValues {
    return replace_header_map_value_string(this.typ, key, value);
  }

  /** The value of a header, "" where there is none. */
  get(key: string): string { return get_header_map_value_string(this.typ, key); }

  /** Take away every header of this name. */
  remove(key: string): WasmResultValues { return remove_header_map_value_string(this.typ, key); }

  get_headers(): Headers { return get_header_map_pairs(this.typ); }

  set_headers(headers: Headers): WasmResultValues { return set_header_map_pairs(this.typ, headers); }
}

export class HeaderMapManipulator {
  constructor(
    public request: HeaderStreamManipulator,
    public response: HeaderStreamManipulator,
    /** What answered a `httpCall`; only inside its callback. */
    public http_callback: HeaderStreamManipulator) {}
}

export class StreamContext {
  constructor(public headers: HeaderMapManipulator, public trailers: HeaderMapManipulator) {}
}

/** The headers and trailers of the stream whose callback is running. */
export const stream_context = new StreamContext(
  new HeaderMapManipulator(
    new HeaderStreamManipulator(HeaderMapTypeValues.RequestHeaders),
    new HeaderStreamManipulator(HeaderMapTypeValues.ResponseHeaders),
    new HeaderStreamManipulator(HeaderMapTypeValues.HttpCallResponseHeaders)),
  new HeaderMapManipulator(
    new HeaderStreamManipulator(HeaderMapTypeValues.RequestTrailers),
    new HeaderStreamManipulator(HeaderMapTypeValues.ResponseTrailers),
    new HeaderStreamManipulator(HeaderMapTypeValues.HttpCallResponseTrailers)));
