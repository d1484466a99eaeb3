import { type AvroReadable, type AvroTap, checkWithinBytes, readBlockSize } from './avroTap.ts';

/**
 * The entries of an Avro map, in their order. Maps with the same names in the same order share
 * `names`.
 */
export interface NamedValues {
  names: readonly string[];
  values: unknown[];
}

/**
 * A node of the tree of the sequences of names that maps have begun with. It stands for the
 * sequence on the way from the root to it.
 */
interface NameNode {
  text: string;
  bytes: Buffer;
  parent: NameNode | null;
  children: Map<string, NameNode>;
  /** The child that was read last; the next record of the same producer has it again. */
  latest: NameNode | null;
  /** The whole sequence; null as long as no map has ended here. */
  names: readonly string[] | null;
  isUnique: boolean;
}

/**
 * At this size the tree is forgotten and learned again, so that memory stays bounded whatever names
 * come.
 */
const maxTreeBytes = 16 * 1024 * 1024;
const nodeBytes = 300;

let root = newNode('', null);
let treeBytes = 0;

function newNode(text: string, parent: NameNode | null): NameNode {
  const bytes = Buffer.from(text);
  return { text, bytes, parent, children: new Map(), latest: null, names: null, isUnique: true };
}

/**
 * Reads an Avro map whose names come again with every record, such as features. avsc makes a new
 * string of each name; here a name that was seen at this place before is recognised by its bytes.
 * When a name comes twice, its last value counts, as for every reader of Avro.
 */
export function readNamedValues(tap: AvroTap, valuesType: AvroReadable): NamedValues {
  if (treeBytes > maxTreeBytes) {
    root = newNode('', null);
    treeBytes = 0;
  }
  const values: unknown[] = [];
  let node = root;
  for (let size = readBlockSize(tap); size > 0; size = readBlockSize(tap)) {
    for (let entry = 0; entry < size; entry++) {
      node = readName(tap, node);
      values.push(valuesType._read(tap));
      checkWithinBytes(tap);
    }
  }
  const names = node.names ?? namesUpTo(node);
  return node.isUnique ? { names, values } : withoutRepeated(names, values);
}

function readName(tap: AvroTap, node: NameNode): NameNode {
  const start = tap.pos;
  const length = tap.readLong();
  const { buf, pos } = tap;
  const { latest } = node;
  if (latest !== null && equalsBytes(latest.bytes, buf, pos, length)) {
    tap.pos = pos + length;
    return latest;
  }
  tap.pos = start;
  const text = tap.readString();
  checkWithinBytes(tap);
  let child = node.children.get(text);
  if (!child) {
    child = newNode(text, node);
    node.children.set(text, child);
    treeBytes += nodeBytes + text.length * 3;
  }
  node.latest = child;
  return child;
}

function equalsBytes(bytes: Buffer, buf: Buffer, start: number, length: number): boolean {
  if (bytes.length !== length) return false;
  for (let index = 0; index < length; index++)
    if (bytes[index] !== buf[start + index]) return false;
  return true;
}

function namesUpTo(node: NameNode): readonly string[] {
  const names: string[] = [];
  for (let step = node; step.parent !== null; step = step.parent) names.push(step.text);
  node.names = names.reverse();
  node.isUnique = new Set(names).size === names.length;
  treeBytes += names.length * 8;
  return names;
}

function withoutRepeated(names: readonly string[], values: readonly unknown[]): NamedValues {
  const byName = new Map(names.map((name, index) => [name, values[index]]));
  return { names: [...byName.keys()], values: [...byName.values()] };
}
