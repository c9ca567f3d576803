// Regular expressions that cannot hang: the time is at most pattern × text, whatever they are.
//
//   const regex = new Regex("/users/\\d+(/.*)?");
//   if (regex.error != "") …               // "expected ) at character 12"
//   regex.matches("/users/7")              // the whole text must match
//
// Understood:  .  [a-z]  [^a-z]  ( )  (?: )  |  *  +  ?  {m}  {m,}  {m,n}  (with a ? behind: the same)
//              ^  $  \d \D \w \W \s \S  \n \r \t \f \v \xHH \uHHHH  and \ before any punctuation.
// Not there: captures, back references, look-around, \b, flags.
//
// A pattern becomes a program for a machine that is in many places at once (Thompson, 1968); it steps
// through the text once and remembers no way back.

/** Repetitions are written out: a{1000} is a thousand instructions. */
const MAX_PROGRAM = 4096;
const MAX_DEPTH = 100;

enum Op { Char, Any, Set, Split, Jump, Start, End, Match }

class CharSet {
  /** First and last character of each range. */
  ranges: i32[] = [];
  negated: bool = false;

  add(first: i32, last: i32): void {
    this.ranges.push(first);
    this.ranges.push(last);
  }

  add_class(letter: i32): void {
    const small = letter | 0x20;
    const from = this.ranges.length;
    if (small == 0x64) this.add(0x30, 0x39); // \d
    else if (small == 0x77) { // \w
      this.add(0x30, 0x39);
      this.add(0x41, 0x5A);
      this.add(0x5F, 0x5F);
      this.add(0x61, 0x7A);
    } else { // \s
      this.add(0x09, 0x0D);
      this.add(0x20, 0x20);
      this.add(0xA0, 0xA0);
    }
    if (letter == small) return;
    // Capital: all that lies between the ranges, which are in order.
    const named = this.ranges.splice(from);
    let next = 0;
    for (let i = 0; i < named.length; i += 2) {
      this.add(next, named[i] - 1);
      next = named[i + 1] + 1;
    }
    this.add(next, 0x10FFFF);
  }

  has(c: i32): bool {
    for (let i = 0; i < this.ranges.length; i += 2) {
      if (c >= unchecked(this.ranges[i]) && c <= unchecked(this.ranges[i + 1])) return !this.negated;
    }
    return this.negated;
  }
}

enum Shape { Empty, One, Sequence, Choice, Repeat }

/** A piece of a pattern. */
class Piece {
  op: Op = Op.Match;
  char: i32 = 0;
  set: CharSet | null = null;
  parts: Piece[] = [];
  least: i32 = 0;
  /** -1: without end. */
  most: i32 = 0;

  constructor(public shape: Shape) {}

  static one(op: Op, char: i32 = 0, set: CharSet | null = null): Piece {
    const piece = new Piece(Shape.One);
    piece.op = op;
    piece.char = char;
    piece.set = set;
    return piece;
  }
}

export class Regex {
  /** Why the pattern is none; "" when it is. Such a Regex matches nothing. */
  error: string = "";

  private ops: Op[] = [];
  /** Op.Char: the character. Op.Set: its index. Op.Jump, Op.Split: where to. */
  private first: i32[] = [];
  /** Op.Split: where to as well. */
  private second: i32[] = [];
  private sets: CharSet[] = [];

  // Where the machine is, where it will be, what remains to be followed; made once, used by every match.
  private now: StaticArray<i32> = [];
  private next: StaticArray<i32> = [];
  private todo: StaticArray<i32> = [];
  private seen: StaticArray<u32> = [];
  private round: u32 = 0;

  constructor(pattern: string) {
    const parser = new Parser(pattern);
    const piece = parser.pattern();
    let error = parser.error;
    if (error == "") {
      this.emit(piece);
      this.put(Op.Match);
      if (this.ops.length > MAX_PROGRAM) error = "repeats too much";
    }
    if (error != "") {
      this.ops = [];
      this.put(Op.Jump); // goes nowhere
    }
    this.error = error;
    const size = this.ops.length;
    this.now = new StaticArray<i32>(size);
    this.next = new StaticArray<i32>(size);
    this.todo = new StaticArray<i32>(2 * size + 1);
    this.seen = new StaticArray<u32>(size);
  }

  /** Whether the whole of `text` matches. */
  matches(text: string): bool {
    const length = text.length;
    let now = this.now, next = this.next;
    this.round++;
    let places = this.follow(0, now, 0, true, length == 0);
    for (let at = 0; at < length && places > 0;) {
      let c = <i32>text.charCodeAt(at++);
      if ((c & 0xFC00) == 0xD800 && at < length && (text.charCodeAt(at) & 0xFC00) == 0xDC00) {
        c = 0x10000 + ((c & 0x3FF) << 10 | (text.charCodeAt(at++) & 0x3FF));
      }
      let reached = 0;
      this.round++;
      for (let i = 0; i < places; i++) {
        const place = unchecked(now[i]);
        if (this.accepts(place, c)) reached = this.follow(place + 1, next, reached, false, at == length);
      }
      places = reached;
      const swap = now;
      now = next;
      next = swap;
    }
    for (let i = 0; i < places; i++) {
      if (unchecked(this.ops[unchecked(now[i])]) == Op.Match) return true;
    }
    return false;
  }

  private accepts(place: i32, c: i32): bool {
    const op = unchecked(this.ops[place]);
    if (op == Op.Char) return c == unchecked(this.first[place]);
    if (op == Op.Any) return c != 0x0A;
    return op == Op.Set && unchecked(this.sets[unchecked(this.first[place])]).has(c);
  }

  /** Add to `places` all that can be reached from `start` without a character; gives their new number. */
  private follow(start: i32, places: StaticArray<i32>, count: i32, at_start: bool, at_end: bool): i32 {
    const todo = this.todo;
    let waiting = 1;
    todo[0] = start;
    while (waiting > 0) {
      const place = unchecked(todo[--waiting]);
      if (unchecked(this.seen[place]) == this.round) continue;
      unchecked(this.seen[place] = this.round);
      const op = unchecked(this.ops[place]);
      if (op == Op.Jump || op == Op.Split) {
        if (op == Op.Split) unchecked(todo[waiting++] = unchecked(this.second[place]));
        unchecked(todo[waiting++] = unchecked(this.first[place]));
      } else if (op == Op.Start || op == Op.End) {
        if (op == Op.Start ? at_start : at_end) unchecked(todo[waiting++] = place + 1);
      } else {
        unchecked(places[count++] = place);
      }
    }
    return count;
  }

  private put(op: Op, first: i32 = 0): i32 {
    this.ops.push(op);
    this.first.push(first);
    this.second.push(0);
    return this.ops.length - 1;
  }

  private emit(piece: Piece): void {
    if (this.ops.length > MAX_PROGRAM) return;
    const parts = piece.parts;
    if (piece.shape == Shape.One) this.emit_one(piece);
    else if (piece.shape == Shape.Sequence) for (let i = 0; i < parts.length; i++) this.emit(parts[i]);
    else if (piece.shape == Shape.Choice) this.emit_choice(parts);
    else if (piece.shape == Shape.Repeat) this.emit_repeat(piece);
  }

  private emit_one(piece: Piece): void {
    const set = piece.set;
    if (set !== null) {
      this.sets.push(set);
      this.put(Op.Set, this.sets.length - 1);
    } else {
      this.put(piece.op, piece.char);
    }
  }

  private emit_choice(parts: Piece[]): void {
    const exits: i32[] = [];
    for (let i = 0; i < parts.length - 1; i++) {
      const split = this.put(Op.Split, this.ops.length + 1);
      this.emit(parts[i]);
      exits.push(this.put(Op.Jump));
      this.second[split] = this.ops.length;
    }
    this.emit(parts[parts.length - 1]);
    for (let i = 0; i < exits.length; i++) this.first[exits[i]] = this.ops.length;
  }

  private emit_repeat(piece: Piece): void {
    const part = piece.parts[0];
    const begin = this.ops.length;
    for (let i = 0, before = -1; i < piece.least && this.ops.length != before; i++) {
      before = this.ops.length; // what adds nothing adds nothing the next time
      this.emit(part);
    }
    if (piece.most < 0) {
      const split = this.put(Op.Split, this.ops.length + 1);
      this.emit(part);
      this.put(Op.Jump, split);
      this.second[split] = this.ops.length;
      return;
    }
    const exits: i32[] = [];
    for (let i = piece.least; i < piece.most && this.ops.length <= MAX_PROGRAM; i++) {
      exits.push(this.put(Op.Split, this.ops.length + 1));
      this.emit(part);
    }
    for (let i = 0; i < exits.length; i++) this.second[exits[i]] = this.ops.length;
  }
}

/** Reads a pattern once from left to right; after the first error it only pretends to. */
class Parser {
  error: string = "";
  private at: i32 = 0;

  constructor(private text: string) {}

  pattern(): Piece {
    const piece = this.choice(0);
    if (this.error == "" && this.at < this.text.length) this.fail("unexpected )");
    return piece;
  }

  /** The next character, -1 at the end. */
  private peek(): i32 { return this.at < this.text.length ? this.text.codePointAt(this.at) : -1; }

  private take(c: i32): bool {
    if (this.peek() != c) return false;
    this.at++;
    return true;
  }

  private read(): i32 {
    const c = this.peek();
    this.at += c > 0xFFFF ? 2 : 1;
    return c;
  }

  private fail(what: string): Piece {
    if (this.error == "") this.error = what + " at character " + (this.at + 1).toString();
    return new Piece(Shape.Empty);
  }

  private choice(depth: i32): Piece {
    if (depth > MAX_DEPTH) return this.fail("nested too deep");
    const choice = new Piece(Shape.Choice);
    do choice.parts.push(this.sequence(depth)); while (this.error == "" && this.take(0x7C));
    return choice;
  }

  private sequence(depth: i32): Piece {
    const sequence = new Piece(Shape.Sequence);
    for (let c = this.peek(); this.error == "" && c >= 0 && c != 0x7C && c != 0x29; c = this.peek()) {
      sequence.parts.push(this.repeated(depth));
    }
    return sequence;
  }

  private repeated(depth: i32): Piece {
    const start = this.at;
    const part = this.single(depth);
    let c = this.peek();
    if (c != 0x2A && c != 0x2B && c != 0x3F && c != 0x7B) return part;
    if (this.text.charCodeAt(start) == 0x5E || this.text.charCodeAt(start) == 0x24) return this.fail("nothing to repeat");
    const repeat = new Piece(Shape.Repeat);
    repeat.parts.push(part);
    this.at++;
    repeat.least = i32(c == 0x2B);
    repeat.most = c == 0x3F ? 1 : -1;
    if (c == 0x7B) this.bounds(repeat);
    this.take(0x3F); // as few as possible: all the same when the whole text must match
    c = this.peek();
    if (c == 0x2A || c == 0x2B || c == 0x3F || c == 0x7B) return this.fail("nothing to repeat");
    return repeat;
  }

  /** m} or m,} or m,n} */
  private bounds(repeat: Piece): void {
    repeat.least = this.count();
    repeat.most = repeat.least;
    if (this.take(0x2C)) repeat.most = this.peek() == 0x7D ? -1 : this.count();
    if (this.error == "" && !this.take(0x7D)) this.fail("expected {m}, {m,} or {m,n}");
    if (repeat.most >= 0 && repeat.most < repeat.least) this.fail("a range that ends before it begins");
  }

  private count(): i32 {
    let value = 0, digits = 0;
    for (let c = this.peek(); c >= 0x30 && c <= 0x39; c = this.peek(), digits++) {
      value = min(value * 10 + (c - 0x30), MAX_PROGRAM + 1);
      this.at++;
    }
    if (digits == 0) this.fail("expected {m}, {m,} or {m,n}");
    return value;
  }

  private single(depth: i32): Piece {
    const c = this.peek();
    if (c == 0x2A || c == 0x2B || c == 0x3F || c == 0x7B) return this.fail("nothing to repeat");
    this.read();
    if (c == 0x28) return this.group(depth);
    if (c == 0x5B) return this.set();
    if (c == 0x2E) return Piece.one(Op.Any);
    if (c == 0x5E) return Piece.one(Op.Start);
    if (c == 0x24) return Piece.one(Op.End);
    if (c != 0x5C) return Piece.one(Op.Char, c);
    const letter = this.peek();
    if (!is_class(letter)) return Piece.one(Op.Char, this.escape());
    this.at++;
    const set = new CharSet();
    set.add_class(letter);
    return Piece.one(Op.Set, 0, set);
  }

  private group(depth: i32): Piece {
    if (this.take(0x3F) && !this.take(0x3A)) return this.fail("expected : (no other kind of group is supported)");
    const piece = this.choice(depth + 1);
    return this.take(0x29) ? piece : this.fail("expected )");
  }

  private set(): Piece {
    const set = new CharSet();
    set.negated = this.take(0x5E);
    for (let first = true; first || this.peek() != 0x5D; first = false) {
      if (this.peek() < 0) return this.fail("expected ]");
      const low = this.member(set);
      if (low < 0) continue;
      let high = low;
      if (this.peek() == 0x2D && this.at + 1 < this.text.length && this.text.charCodeAt(this.at + 1) != 0x5D) {
        this.at++;
        high = this.member(set);
        if (high < low) return this.fail("a range that ends before it begins");
      }
      set.add(low, high);
      if (this.error != "") break;
    }
    this.at++;
    return Piece.one(Op.Set, 0, set);
  }

  /** One character of a set; -1 when it was a whole class, which is added at once. */
  private member(set: CharSet): i32 {
    const c = this.read();
    if (c != 0x5C) return c;
    const letter = this.peek();
    if (!is_class(letter)) return this.escape();
    this.at++;
    set.add_class(letter);
    return -1;
  }

  /** The character that stands behind a backslash. */
  private escape(): i32 {
    const c = this.peek();
    const at = c >= 0 && c < 0x80 ? "nrtfv".indexOf(String.fromCharCode(c)) : -1;
    if (at >= 0) {
      this.at++;
      return "\n\r\t\f\v".charCodeAt(at);
    }
    if (this.take(0x78)) return this.hex(2);
    if (this.take(0x75)) return this.hex(4);
    const letter = c | 0x20;
    if (c < 0 || (letter >= 0x61 && letter <= 0x7A) || (c >= 0x30 && c <= 0x39)) {
      this.fail("unknown escape");
      return 0;
    }
    return this.read();
  }

  private hex(digits: i32): i32 {
    let value = 0;
    for (let i = 0; i < digits; i++, this.at++) {
      const c = this.peek(), letter = c | 0x20;
      if (c >= 0x30 && c <= 0x39) value = value << 4 | (c - 0x30);
      else if (letter >= 0x61 && letter <= 0x66) value = value << 4 | (letter - 0x57);
      else {
        this.fail("expected a hexadecimal digit");
        return 0;
      }
    }
    return value;
  }
}

/** d, D, w, W, s or S. */
function is_class(letter: i32): bool {
  const small = letter | 0x20;
  return letter > 0 && (small == 0x64 || small == 0x77 || small == 0x73);
}
