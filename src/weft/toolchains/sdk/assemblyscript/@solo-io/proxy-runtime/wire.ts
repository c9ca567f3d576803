// Bytes between this module and the host.
//
// Strings here are UTF-16, the host speaks UTF-8. Both directions go through memory that is set
// aside once, so that reading and writing headers allocates nothing but the strings that the
// filter asked for:
//
// * the outbox takes what a host function is given; its content is good for one call;
// * the inbox takes what a host function answers, when that is small and the inbox is free;
//   larger answers become an ArrayBuffer of their own that is handed on without a copy.

// An HTTP header is rarely larger; what is goes through the heap.
const INBOX_BYTES: usize = 4096;
const OUTBOX_BYTES: usize = 4096;

const inbox: usize = memory.data(4096, 16);
let inbox_taken: bool = false;

let outbox: usize = memory.data(4096, 16);
let outbox_bytes: usize = OUTBOX_BYTES;

// Where host functions leave numbers: two words, the second also as the upper half of an u64.
const answer: usize = memory.data(16, 16);

// Keeps an answer alive between the host's allocation and its use: numbers do not.
let incoming: ArrayBuffer | null = null;

/** Where a host function writes the place of its bytes, a token, an id or a 64 bit number. */
// @ts-ignore: decorator
@inline
export function first_answer(): usize { return answer; }

/** Where a host function writes the size of its bytes, or a second number. */
// @ts-ignore: decorator
@inline
export function second_answer(): usize { return answer + 8; }

/** The first answer, read as a number. */
// @ts-ignore: decorator
@inline
export function answered_u32(): u32 { return load<u32>(answer); }

/** Memory for the host to write `size` bytes into; what `proxy_on_memory_allocate` gives. */
export function allocate(size: usize): usize {
  if (size <= INBOX_BYTES && !inbox_taken) {
    inbox_taken = true;
    return inbox;
  }
  const buffer = new ArrayBuffer(<i32>size);
  incoming = buffer;
  return changetype<usize>(buffer);
}

/** The bytes a host function has just answered with, as text. */
export function received_string(): string {
  const size = load<usize>(answer, 8);
  const text = size ? decode(load<usize>(answer), size) : "";
  forget_received();
  return text;
}

/** The bytes a host function has just answered with. */
export function received_buffer(): ArrayBuffer {
  const ptr = load<usize>(answer);
  const size = load<usize>(answer, 8);
  const large = incoming;
  let buffer: ArrayBuffer;
  if (large !== null && changetype<usize>(large) == ptr && <usize>large.byteLength == size) {
    buffer = large;
  } else {
    buffer = new ArrayBuffer(<i32>size);
    memory.copy(changetype<usize>(buffer), ptr, size);
  }
  forget_received();
  return buffer;
}

function forget_received(): void {
  inbox_taken = false;
  incoming = null;
}

/** Make room in the outbox; `bytes` is an upper bound. What was there before is lost. */
export function room(bytes: usize): usize {
  if (bytes > outbox_bytes) {
    if (outbox_bytes > OUTBOX_BYTES) heap.free(outbox);
    outbox = heap.alloc(bytes);
    outbox_bytes = bytes;
  }
  return outbox;
}

/** How many bytes `text` may need: a UTF-16 unit becomes at most three. */
// @ts-ignore: decorator
@inline
export function most(text: string): usize { return <usize>text.length * 3; }

/** Write `text` at `at` and say how many bytes it took. */
export function put(text: string, at: usize): usize {
  const from = changetype<usize>(text);
  const units = <usize>text.length;
  let done: usize = 0;
  // Four ASCII letters at a time: headers hardly ever hold anything else.
  while (done + 4 <= units) {
    const four = load<u64>(from + (done << 1));
    if (four & 0xFF80FF80FF80FF80) break;
    const pairs = four | (four >> 8);
    store<u32>(at + done, <u32>(pairs & 0xFFFF) | <u32>((pairs >> 32 & 0xFFFF) << 16));
    done += 4;
  }
  while (done < units) {
    const unit = load<u16>(from + (done << 1));
    if (unit > 0x7F) return done + put_any(from + (done << 1), units - done, at + done);
    store<u8>(at + done, unit);
    done += 1;
  }
  return units;
}

function put_any(from: usize, units: usize, at: usize): usize {
  return String.UTF8.encodeUnsafe(from, <i32>units, at, false, String.UTF8.ErrorMode.REPLACE);
}

/** Copy `bytes` to `at` and say how many there were. */
export function put_bytes(bytes: ArrayBuffer, at: usize): usize {
  memory.copy(at, changetype<usize>(bytes), bytes.byteLength);
  return bytes.byteLength;
}

/** Text from UTF-8; bytes that are not UTF-8 give some text, never a failure. */
export function decode(from: usize, size: usize): string {
  for (let i: usize = 0; i < size; i++) {
    if (load<u8>(from + i) > 0x7F) return String.UTF8.decodeUnsafe(from, size);
  }
  // @ts-ignore: known to the compiler, not to editors
  const text = changetype<string>(__new(size << 1, idof<string>()));
  const to = changetype<usize>(text);
  for (let i: usize = 0; i < size; i++) store<u16>(to + (i << 1), load<u8>(from + i));
  return text;
}
