// What the language expects of its surroundings, and Envoy does not have: given here by what it has.
// `weft build` puts these in place of the originals (asc --use abort=abort_proc_exit and so on).

import { get_current_time_nanoseconds, log as write_log } from "./@solo-io/proxy-runtime/calls";
import { proxy_log } from "./@solo-io/proxy-runtime/imports";
import { LogLevelValues } from "./@solo-io/proxy-runtime/values";
import { most, put, room } from "./@solo-io/proxy-runtime/wire";

/** The end of a failed program: what, where, then a trap. Allocates nothing, for memory may be the reason. */
export function abort_proc_exit(message: string | null, fileName: string | null, line: u32, column: u32): void {
  const what = message === null ? "abort" : message;
  const file = fileName === null ? "?" : fileName;
  const at = room(most(what) + most(file) + 64);
  let end = at + put(what, at);
  end += put(" at ", end);
  end += put(file, end);
  end = put_number(line, put_colon(end));
  end = put_number(column, put_colon(end));
  proxy_log(LogLevelValues.critical, at, end - at);
  unreachable();
}

function put_colon(at: usize): usize {
  store<u8>(at, 58);
  return at + 1;
}

function put_number(number: u32, at: usize): usize {
  let scale: u32 = 1;
  while (number / scale >= 10) scale *= 10;
  for (; scale; scale /= 10) store<u8>(at++, 48 + number / scale % 10);
  return at;
}

/** The seed of Math.random. */
export function proxy_seed(): f64 { return reinterpret<f64>(get_current_time_nanoseconds()); }

/** Behind Date.now. */
export namespace proxy_date {
  export function now(): f64 { return <f64>(get_current_time_nanoseconds() / 1000000); }
}

/** `trace(…)` and `console.…` go to Envoy's log. */
export function proxy_trace(
  message: string, n: i32 = 0, a0: f64 = 0, a1: f64 = 0, a2: f64 = 0, a3: f64 = 0, a4: f64 = 0): void {
  const numbers: f64[] = [a0, a1, a2, a3, a4];
  let text = message;
  for (let i = 0; i < min(n, 5); i++) text += " " + numbers[i].toString();
  write_log(LogLevelValues.trace, text);
}

export namespace proxy_console {
  export function assert<T>(condition: T, message: string = ""): void {
    if (!condition) write_log(LogLevelValues.error, "Assertion failed: " + message);
  }
  export function debug(message: string = ""): void { write_log(LogLevelValues.debug, message); }
  export function log(message: string = ""): void { write_log(LogLevelValues.info, message); }
  export function info(message: string = ""): void { write_log(LogLevelValues.info, message); }
  export function warn(message: string = ""): void { write_log(LogLevelValues.warn, message); }
  export function error(message: string = ""): void { write_log(LogLevelValues.error, message); }
}
