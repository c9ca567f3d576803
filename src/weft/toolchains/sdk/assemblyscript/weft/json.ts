// JSON (RFC 8259), read strictly: what is wrong is said with its line and column.
//
//   const document = Json.parse(text);
//   if (document.error != "") …            // "expected a value at line 1, column 9"
//
// Refused beyond what the grammar refuses: a key twice in one object, a lone surrogate, depth and
// size that no config has.

/** Deeper is an attack on the stack, not a config. */
const MAX_DEPTH = 64;
/** Envoy hands a config over in one piece; a config is not a database. */
const MAX_CHARACTERS = 1 << 20;

export enum JsonKind { Null, Bool, Number, String, Array, Object }

/** One value. Which fields hold something depends on `kind`. */
export class Json {
  /** Why the text is not JSON; "" when it is. Only on what `parse` gives. */
  error: string = "";
  /** The characters of a string; a number as it was written; "true" or "false". */
  text: string = "";
  /** The values of an array or object. */
  items: Json[] = [];
  /** The keys of an object, in the order of `items`. */
  keys: string[] = [];

  constructor(public kind: JsonKind) {}

  static parse(text: string): Json {
    const reader = new Reader(text);
    const value = reader.document();
    value.error = reader.error;
    return value;
  }

  /** The value of a key, null where there is none. */
  get(key: string): Json | null {
    const at = this.keys.indexOf(key);
    return at < 0 ? null : this.items[at];
  }

  /** A number as the nearest f64. */
  get number(): f64 { return parseFloat(this.text); }

  /** Whether a number is written without fraction and exponent, and `integer` can hold it. */
  get is_integer(): bool {
    const text = this.text;
    if (this.kind != JsonKind.Number || text.length > 18) return false;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (!is_digit(c) && c != 0x2D) return false;
    }
    return true;
  }

  get integer(): i64 {
    const negative = this.text.charCodeAt(0) == 0x2D;
    let value: i64 = 0;
    for (let i = i32(negative); i < this.text.length; i++) value = value * 10 + (this.text.charCodeAt(i) - 0x30);
    return negative ? -value : value;
  }
}

// @ts-ignore: decorator
@inline
function is_digit(c: i32): bool { return c >= 0x30 && c <= 0x39; }

/** Reads once from left to right; after the first error it only pretends to. */
class Reader {
  error: string = "";
  private at: i32 = 0;

  constructor(private text: string) {}

  document(): Json {
    if (this.text.length > MAX_CHARACTERS) return this.fail("longer than " + MAX_CHARACTERS.toString() + " characters");
    const value = this.value(0);
    this.skip_space();
    if (this.error == "" && this.at < this.text.length) this.fail("expected nothing more");
    return value;
  }

  private peek(): i32 { return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1; }

  private skip_space(): void {
    for (let c = this.peek(); c == 0x20 || c == 0x09 || c == 0x0A || c == 0x0D; c = this.peek()) this.at++;
  }

  private take(c: i32): bool {
    if (this.peek() != c) return false;
    this.at++;
    return true;
  }

  private fail(what: string): Json {
    if (this.error == "") {
      let line = 1, column = 1;
      for (let i = 0; i < this.at; i++) {
        column++;
        if (this.text.charCodeAt(i) == 0x0A) {
          line++;
          column = 1;
        }
      }
      this.error = what + " at line " + line.toString() + ", column " + column.toString();
    }
    return new Json(JsonKind.Null);
  }

  private value(depth: i32): Json {
    if (depth > MAX_DEPTH) return this.fail("nested more than " + MAX_DEPTH.toString() + " deep");
    this.skip_space();
    const c = this.peek();
    if (c == 0x7B) return this.object(depth);
    if (c == 0x5B) return this.array(depth);
    if (c == 0x22) return this.string();
    if (c == 0x2D || is_digit(c)) return this.number();
    if (this.word("true")) return literal(JsonKind.Bool, "true");
    if (this.word("false")) return literal(JsonKind.Bool, "false");
    if (this.word("null")) return new Json(JsonKind.Null);
    return this.fail("expected a value");
  }

  private word(word: string): bool {
    if (this.text.substr(this.at, word.length) != word) return false;
    this.at += word.length;
    return true;
  }

  private object(depth: i32): Json {
    const object = new Json(JsonKind.Object);
    this.at++;
    this.skip_space();
    if (this.take(0x7D)) return object;
    do {
      this.skip_space();
      if (this.peek() != 0x22) return this.fail("expected a key in quotes");
      const start = this.at;
      const key = this.string().text;
      if (object.keys.includes(key)) {
        this.at = start;
        return this.fail("a key is there twice");
      }
      this.skip_space();
      if (!this.take(0x3A)) return this.fail("expected :");
      object.keys.push(key);
      object.items.push(this.value(depth + 1));
      this.skip_space();
    } while (this.error == "" && this.take(0x2C));
    return this.take(0x7D) ? object : this.fail("expected , or }");
  }

  private array(depth: i32): Json {
    const array = new Json(JsonKind.Array);
    this.at++;
    this.skip_space();
    if (this.take(0x5D)) return array;
    do {
      array.items.push(this.value(depth + 1));
      this.skip_space();
    } while (this.error == "" && this.take(0x2C));
    return this.take(0x5D) ? array : this.fail("expected , or ]");
  }

  private number(): Json {
    const start = this.at;
    this.take(0x2D);
    if (!this.take(0x30) && !this.digits()) return this.fail("expected a digit");
    if (this.take(0x2E) && !this.digits()) return this.fail("expected a digit");
    if (this.take(0x65) || this.take(0x45)) {
      if (!this.take(0x2B)) this.take(0x2D);
      if (!this.digits()) return this.fail("expected a digit");
    }
    return literal(JsonKind.Number, this.text.substring(start, this.at));
  }

  private digits(): bool {
    const start = this.at;
    while (is_digit(this.peek())) this.at++;
    return this.at > start;
  }

  private string(): Json {
    let text = "";
    let start = ++this.at;
    while (true) {
      const c = this.peek();
      if (c == 0x22) break;
      if (c < 0) return this.fail("expected a closing quote");
      if (c < 0x20) return this.fail("expected an escape for a control character");
      if (c != 0x5C) {
        this.at++;
        continue;
      }
      text += this.text.substring(start, this.at++) + this.escape();
      if (this.error != "") return new Json(JsonKind.Null);
      start = this.at;
    }
    text += this.text.substring(start, this.at++);
    return literal(JsonKind.String, text);
  }

  /** What stands behind a backslash. */
  private escape(): string {
    const letters = "\"\\/bfnrt";
    const at = this.at < this.text.length ? letters.indexOf(this.text.charAt(this.at)) : -1;
    if (at >= 0) {
      this.at++;
      return "\"\\/\b\f\n\r\t".charAt(at);
    }
    if (!this.take(0x75)) return this.fail("expected a known escape").text;
    const unit = this.hex4();
    if (unit < 0xD800 || unit > 0xDFFF) return String.fromCharCode(unit);
    if (unit < 0xDC00 && this.word("\\u")) {
      const low = this.hex4();
      if (low >= 0xDC00 && low <= 0xDFFF) return String.fromCharCode(unit, low);
    }
    return this.fail("expected a surrogate pair").text;
  }

  private hex4(): i32 {
    let value = 0;
    for (let i = 0; i < 4; i++, this.at++) {
      const c = this.peek(), letter = c | 0x20;
      if (is_digit(c)) value = value << 4 | (c - 0x30);
      else if (letter >= 0x61 && letter <= 0x66) value = value << 4 | (letter - 0x57);
      else {
        this.fail("expected four hexadecimal digits");
        return 0;
      }
    }
    return value;
  }
}

function literal(kind: JsonKind, text: string): Json {
  const value = new Json(kind);
  value.text = text;
  return value;
}
