import { fnv1a } from '../../shared/profile/categoryHash.ts';

/**
 * A set of ids, each with the slice of event time in which it came, where a window has a fixed
 * number of slices. The oldest ids can be forgotten, by windows or by slices.
 *
 * Ids are compared character by character, so that no id is ever taken for another. They lie in a
 * few large arrays instead of a Set of texts, which takes a third of the memory and leaves nothing
 * for the garbage collector to walk through.
 */
export interface RecentIds {
  /** Number of ids that are remembered. */
  size: number;
  /** Number of remembered ids by window. */
  sizeByWindow: Map<number, number>;
  /** The first window of `sizeByWindow`, or Infinity. */
  oldestWindow: number;
  slicesPerWindow: number;
  /** Ids of earlier slices are forgotten, though their entries may stay until room is needed. */
  fromSlice: number;
  entries: number;
  /** Slice of each entry, counted from the epoch. */
  slices: Uint32Array;
  /** Start of the text of each entry, which ends where the next one starts. */
  starts: Uint32Array;
  text: Uint8Array;
  /**
   * Hash table with linear probing, at most half full. A slot holds entry + 1, or 0 if it is free.
   */
  slots: Uint32Array;
}

const initialEntries = 16;
const usualTextBytes = 24;
/** A power of two. */
const slotsPerEntry = 2;
const fullShare = 0.75;
/** How the characters of a text are stored: the first byte of the text. */
const oneByteEach = 0;
const twoBytesEach = 1;
const fibonacciMultiplier = 0x9e3779b1;

export function emptyRecentIds(slicesPerWindow = 1): RecentIds {
  return {
    size: 0,
    sizeByWindow: new Map(),
    oldestWindow: Number.POSITIVE_INFINITY,
    slicesPerWindow,
    fromSlice: 0,
    ...emptyTable(initialEntries, initialEntries * usualTextBytes),
  };
}

function emptyTable(capacity: number, textBytes: number) {
  return {
    entries: 0,
    slices: new Uint32Array(capacity),
    starts: new Uint32Array(capacity + 1),
    text: new Uint8Array(textBytes),
    slots: new Uint32Array(capacity * slotsPerEntry),
  };
}

/** Returns the memory that the ids take. */
export function recentIdsBytes({ slices, starts, text, slots }: RecentIds): number {
  return slices.byteLength + starts.byteLength + text.byteLength + slots.byteLength;
}

/**
 * Remembers an id. O(length of the id) on average.
 * @param hash `fnv1a` of the id, if it is known already
 * @returns false if the id is remembered already; then it keeps the slice in which it first came
 */
export function rememberId(ids: RecentIds, id: string, slice: number, hash = fnv1a(id)): boolean {
  const slot = slotOf(ids, id, hash);
  const entry = ids.slots[slot]! - 1;
  if (entry >= 0) {
    if (ids.slices[entry]! >= ids.fromSlice) return false;
    ids.slices[entry] = slice;
  } else if (hasRoom(ids, id)) {
    ids.slots[slot] = append(ids, id, slice);
  } else {
    makeRoom(ids, id);
    ids.slots[slotOf(ids, id, hash)] = append(ids, id, slice);
  }
  countInWindow(ids, slice);
  return true;
}

function countInWindow(ids: RecentIds, slice: number): void {
  const window = Math.floor(slice / ids.slicesPerWindow);
  ids.size++;
  ids.sizeByWindow.set(window, (ids.sizeByWindow.get(window) ?? 0) + 1);
  if (window < ids.oldestWindow) ids.oldestWindow = window;
}

/** Forgets all ids of the oldest window. @returns the number of ids forgotten */
export function forgetOldestWindow(ids: RecentIds): number {
  const forgotten = ids.sizeByWindow.get(ids.oldestWindow) ?? 0;
  ids.sizeByWindow.delete(ids.oldestWindow);
  ids.size -= forgotten;
  ids.fromSlice = (ids.oldestWindow + 1) * ids.slicesPerWindow;
  ids.oldestWindow = Math.min(...ids.sizeByWindow.keys());
  return forgotten;
}

/**
 * Forgets the oldest slices until at most `maxIds` ids are left. O(n log n) in the number of ids,
 * so `maxIds` should be well below it.
 * @returns the number of ids forgotten
 */
export function forgetOldestSlices(ids: RecentIds, maxIds: number): number {
  const before = ids.size;
  if (before <= maxIds) return 0;
  const remembered = ids.slices.subarray(0, ids.entries).filter(slice => slice >= ids.fromSlice);
  ids.fromSlice = remembered.sort()[before - maxIds - 1]! + 1;
  ids.size = 0;
  ids.sizeByWindow.clear();
  ids.oldestWindow = Number.POSITIVE_INFINITY;
  for (const slice of remembered) if (slice >= ids.fromSlice) countInWindow(ids, slice);
  return before - ids.size;
}

/** Returns the slot of the entry of an id, or the free slot that its entry will take. */
function slotOf(ids: RecentIds, id: string, hash: number): number {
  const { slots } = ids;
  const mask = slots.length - 1;
  let slot = Math.imul(hash, fibonacciMultiplier) >>> Math.clz32(mask);
  while (slots[slot] !== 0 && !hasText(ids, slots[slot]! - 1, id)) slot = (slot + 1) & mask;
  return slot;
}

function hasText({ starts, text }: RecentIds, entry: number, id: string): boolean {
  const start = starts[entry]! + 1;
  const bytes = starts[entry + 1]! - start;
  const { length } = id;
  if (text[start - 1] === oneByteEach) {
    if (bytes !== length) return false;
    // From the end, because the last characters of ids differ the most.
    for (let index = length - 1; index >= 0; index--)
      if (text[start + index] !== id.charCodeAt(index)) return false;
    return true;
  }
  if (bytes !== 2 * length) return false;
  for (let index = length - 1; index >= 0; index--) {
    const code = text[start + 2 * index]! | (text[start + 2 * index + 1]! << 8);
    if (code !== id.charCodeAt(index)) return false;
  }
  return true;
}

function maxBytesOf(id: string): number {
  return 1 + 2 * id.length;
}

function hasRoom({ entries, slices, starts, text }: RecentIds, id: string): boolean {
  return entries < slices.length && starts[entries]! + maxBytesOf(id) <= text.length;
}

/** Appends an entry. @returns what its slot has to hold */
function append(ids: RecentIds, id: string, slice: number): number {
  const { text, starts, entries } = ids;
  const start = starts[entries]!;
  ids.slices[entries] = slice;
  starts[entries + 1] = writeText(text, start, id);
  return ++ids.entries;
}

/** Writes a text. @returns its end */
function writeText(text: Uint8Array, start: number, id: string): number {
  const { length } = id;
  text[start] = oneByteEach;
  for (let index = 0; index < length; index++) {
    const code = id.charCodeAt(index);
    if (code > 0xff) return writeWideText(text, start, id);
    text[start + 1 + index] = code;
  }
  return start + 1 + length;
}

function writeWideText(text: Uint8Array, start: number, id: string): number {
  text[start] = twoBytesEach;
  for (let index = 0; index < id.length; index++) {
    const code = id.charCodeAt(index);
    text[start + 1 + 2 * index] = code & 0xff;
    text[start + 2 + 2 * index] = code >> 8;
  }
  return start + 1 + 2 * id.length;
}

/**
 * Makes room for one more entry. Removes forgotten entries, and takes more memory if that would not
 * make much room.
 */
function makeRoom(ids: RecentIds, id: string): void {
  const { entries, slices, starts, text, fromSlice } = ids;
  let keptText = maxBytesOf(id);
  for (let entry = 0; entry < entries; entry++) {
    if (slices[entry]! >= fromSlice) keptText += starts[entry + 1]! - starts[entry]!;
  }
  Object.assign(
    ids,
    emptyTable(roomFor(ids.size + 1, slices.length), roomFor(keptText, text.length)),
  );
  for (let entry = 0; entry < entries; entry++) {
    if (slices[entry]! < fromSlice) continue;
    const kept = text.subarray(starts[entry]!, starts[entry + 1]!);
    const start = ids.starts[ids.entries]!;
    ids.text.set(kept, start);
    ids.slices[ids.entries] = slices[entry]!;
    ids.starts[ids.entries + 1] = start + kept.length;
    placeEntry(ids, ids.entries++);
  }
}

function roomFor(needed: number, before: number): number {
  return needed > before * fullShare
    ? Math.max(before * 2, 2 ** Math.ceil(Math.log2(needed)))
    : before;
}

/** Puts an entry into a free slot. No other entry has the same text. */
function placeEntry({ starts, text, slots }: RecentIds, entry: number): void {
  const start = starts[entry]! + 1;
  const end = starts[entry + 1]!;
  const step = text[start - 1] === oneByteEach ? 1 : 2;
  let hash = 0x811c9dc5;
  for (let index = start; index < end; index += step) {
    const code = step === 1 ? text[index]! : text[index]! | (text[index + 1]! << 8);
    hash = Math.imul(hash ^ code, 0x01000193);
  }
  const mask = slots.length - 1;
  let slot = Math.imul(hash, fibonacciMultiplier) >>> Math.clz32(mask);
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = entry + 1;
}
