// A filter's config: a JSON object, read key by key. What is wrong is noted and said once, at the end.
//
//   const config = Config.parse(this.configuration);
//   this.name = config.string("name", "nobody");    // "nobody" where the key is missing
//   this.limit = config.integer("limit");           // no default: the key must be there
//   return config.accepted();                       // false, and one line in the log, if anything was wrong
//
// A key that was never asked for is a mistake of whoever wrote the config, and refused too.

import { log, LogLevelValues } from "../@solo-io/proxy-runtime/index";
import { Json, JsonKind } from "./json";

/** The first mistake, shared by a config and all that is inside it. */
class Complaint {
  text: string = "";
}

export class Config {
  private asked: string[] = [];
  private inner: Config[] = [];

  private constructor(private json: Json, private path: string, private complaint: Complaint) {}

  /** An empty text is an empty object. */
  static parse(text: string): Config {
    const json = text == "" ? new Json(JsonKind.Object) : Json.parse(text);
    const config = new Config(json, "", new Complaint());
    if (json.error != "") config.complain("not valid JSON: " + json.error);
    else if (json.kind != JsonKind.Object) config.complain("must be an object");
    return config;
  }

  /** Note that the value of `key` will not do: `refuse("limit", "must be even")`. */
  refuse(key: string, why: string): void { this.complain(this.path + key + " " + why); }

  /** Whether all is well. If not, the log says what was wrong first. */
  accepted(): bool {
    this.refuse_unknown();
    if (this.complaint.text == "") return true;
    log(LogLevelValues.error, "config: " + on_one_line(this.complaint.text));
    return false;
  }

  has(key: string): bool { return this.json.get(key) !== null; }

  string(key: string, fallback: string | null = null): string {
    const value = this.get(key, JsonKind.String, "must be a string", fallback !== null);
    return value !== null ? value.text : fallback !== null ? fallback : "";
  }

  /** A string that can name a header (RFC 9110, token); lower case, as HTTP/2 wants it. */
  header_name(key: string, fallback: string | null = null): string {
    const name = this.string(key, fallback);
    if (this.complaint.text == "" && !is_token(name)) this.refuse(key, "must be a valid header name");
    return ascii_lower(name);
  }

  /** A string that can be the value of a header: anything without control characters. */
  header_value(key: string, fallback: string | null = null): string {
    const value = this.string(key, fallback);
    if (this.complaint.text == "" && on_one_line(value) != value) this.refuse(key, "must be a valid header value");
    return value;
  }

  bool(key: string, fallback: bool): bool {
    const value = this.get(key, JsonKind.Bool, "must be true or false", true);
    return value !== null ? value.text == "true" : fallback;
  }

  /** A whole number from `least` to `most`; without a `fallback` in that range the key must be there. */
  integer(key: string, fallback: i64 = -1, least: i64 = 0, most: i64 = u32.MAX_VALUE): i64 {
    const why = "must be a whole number from " + least.toString() + " to " + most.toString();
    const value = this.get(key, JsonKind.Number, why, fallback >= least && fallback <= most);
    if (value === null) return fallback;
    const number = value.is_integer ? value.integer : i64.MIN_VALUE;
    if (number < least || number > most) this.refuse(key, why);
    return number;
  }

  /** An array of objects, each to be read like a config of its own; empty where the key is missing. */
  objects(key: string): Config[] {
    const found: Config[] = [];
    const why = "must be an array of objects";
    const array = this.get(key, JsonKind.Array, why, true);
    if (array === null) return found;
    for (let i = 0; i < array.items.length; i++) {
      const path = key + "[" + i.toString() + "]";
      if (array.items[i].kind != JsonKind.Object) this.refuse(path, "must be an object");
      const item = new Config(array.items[i], this.path + path + ".", this.complaint);
      found.push(item);
      this.inner.push(item);
    }
    return found;
  }

  private get(key: string, kind: JsonKind, why: string, optional: bool): Json | null {
    this.asked.push(key);
    const value = this.json.get(key);
    if (value === null) {
      if (!optional) this.refuse(key, "is missing");
    } else if (value.kind != kind) {
      this.refuse(key, why);
      return null;
    }
    return value;
  }

  private refuse_unknown(): void {
    const keys = this.json.keys;
    for (let i = 0; i < keys.length; i++) {
      if (!this.asked.includes(keys[i])) this.refuse(keys[i], "is not a known key");
    }
    for (let i = 0; i < this.inner.length; i++) this.inner[i].refuse_unknown();
  }

  private complain(text: string): void {
    if (this.complaint.text == "") this.complaint.text = text;
  }
}

/** The text with a question mark for every control character. */
function on_one_line(text: string): string {
  let line = "";
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    line += c < 0x20 || c == 0x7F ? "?" : text.charAt(i);
  }
  return line;
}

const TOKEN_SYMBOLS = "!#$%&'*+-.^_`|~";

function is_token(name: string): bool {
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    const letter = c | 0x20;
    if ((letter >= 0x61 && letter <= 0x7A) || (c >= 0x30 && c <= 0x39)) continue;
    if (!TOKEN_SYMBOLS.includes(name.charAt(i))) return false;
  }
  return name != "";
}

function ascii_lower(text: string): string {
  let lower = "";
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    lower += String.fromCharCode(c >= 0x41 && c <= 0x5A ? c | 0x20 : c);
  }
  return lower;
}
