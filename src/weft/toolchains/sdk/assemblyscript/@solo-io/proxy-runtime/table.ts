// Numbers to objects, for what comes and goes with every request.
//
// The standard Map keeps a tombstone for every deletion and allocates anew when they fill it up;
// this one allocates only when it must hold more than ever before. Open addressing, linear
// probing, and a deletion moves what follows back into the gap.

const SMALLEST = 16; // a power of two, as all sizes

/** What a table can hold. One class for all, so that the module holds the code of one table. */
export abstract class Entry {}

export class Table {
  private keys: StaticArray<u32> = new StaticArray<u32>(SMALLEST);
  private values: StaticArray<Entry | null> = new StaticArray<Entry | null>(SMALLEST);
  private mask: u32 = SMALLEST - 1;
  private used: u32 = 0;

  get(key: u32): Entry | null { return unchecked(this.values[this.find(key)]); }

  set(key: u32, value: Entry): void {
    let at = this.find(key);
    if (unchecked(this.values[at]) === null) {
      if (this.used * 2 > this.mask) {
        this.grow();
        at = this.find(key);
      }
      this.used++;
    }
    unchecked(this.keys[at] = key);
    unchecked(this.values[at] = value);
  }

  delete(key: u32): void {
    let gap = this.find(key);
    if (unchecked(this.values[gap]) === null) return;
    this.used--;
    for (let next = (gap + 1) & this.mask; ; next = (next + 1) & this.mask) {
      const value = unchecked(this.values[next]);
      if (value === null) break;
      const moved_key = unchecked(this.keys[next]);
      // What sits between its own place and the gap would be lost behind it: move it.
      if (((next - moved_key) & this.mask) >= ((next - gap) & this.mask)) {
        unchecked(this.keys[gap] = moved_key);
        unchecked(this.values[gap] = value);
        gap = next;
      }
    }
    unchecked(this.values[gap] = null);
  }

  /** The numbers in use, in no order. */
  all_keys(): u32[] {
    const found: u32[] = [];
    for (let i = 0; i <= <i32>this.mask; i++) {
      if (this.values[i] !== null) found.push(this.keys[i]);
    }
    return found;
  }

  /** Where `key` is, or the empty place where it belongs. The host numbers in sequence: no hash is better. */
  private find(key: u32): u32 {
    let at = key & this.mask;
    while (unchecked(this.values[at]) !== null && unchecked(this.keys[at]) != key) at = (at + 1) & this.mask;
    return at;
  }

  private grow(): void {
    const keys = this.keys, values = this.values;
    const size = <i32>(this.mask + 1) * 2;
    this.keys = new StaticArray<u32>(size);
    this.values = new StaticArray<Entry | null>(size);
    this.mask = size - 1;
    for (let i = 0; i < values.length; i++) {
      if (values[i] === null) continue;
      const at = this.find(keys[i]);
      this.keys[at] = keys[i];
      this.values[at] = values[i];
    }
  }
}
