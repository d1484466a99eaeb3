import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';

/** A Protobuf schema, with the messages of its own file in their order. */
export interface ProtobufSchema {
  root: protobuf.Root;
  messages: readonly MessageNames[];
}

/** The name of a message, and those of the messages within it. */
interface MessageNames {
  name: string;
  messages: readonly MessageNames[];
}

/**
 * Parses a Protobuf schema: the text of a .proto file, or what the registry keeps for clients
 * without such a text, which is the descriptor of the file in base64.
 * @param referenced the files that it imports, in the same two forms
 * @throws Error with what is wrong
 */
export function parseProtobufSchema(
  text: string,
  referenced: readonly string[] = [],
): ProtobufSchema {
  const root = new protobuf.Root();
  for (const name of ['timestamp', 'duration', 'struct', 'wrappers', 'any', 'empty', 'field_mask'])
    root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`)!.nested!);
  for (const schema of referenced) addFile(root, schema);
  const messages = addFile(root, text);
  root.resolveAll();
  return { root, messages };
}

function addFile(root: protobuf.Root, text: string): readonly MessageNames[] {
  const file = fileDescriptor(text);
  if (file !== null) return addDescriptor(root, file);
  // Only a root of its own tells the messages of this file from those that it imports.
  const own = new protobuf.Root();
  const parsed = protobuf.parse(text, own, { keepCase: true });
  protobuf.parse(text, root, { keepCase: true });
  return namesIn(parsed.package === undefined ? own : own.lookup(parsed.package));
}

function namesIn(space: protobuf.ReflectionObject | null): MessageNames[] {
  if (!(space instanceof protobuf.Namespace)) return [];
  return space.nestedArray
    .filter(part => part instanceof protobuf.Type)
    .map(part => ({ name: part.fullName, messages: namesIn(part) }));
}

interface FileDescriptor {
  package?: string;
  syntax?: string;
  messageType?: { name: string }[];
  enumType?: object[];
}

function fileDescriptor(text: string): FileDescriptor | null {
  if (!/^[A-Za-z0-9+/\s]+=*\s*$/.test(text)) return null;
  return descriptor.FileDescriptorProto.decode(Buffer.from(text, 'base64')) as FileDescriptor;
}

function addDescriptor(root: protobuf.Root, file: FileDescriptor): readonly MessageNames[] {
  const space = file.package ? root.define(file.package) : root;
  const edition = file.syntax || 'proto2';
  const fromDescriptor = <T>(kind: unknown, part: object) =>
    (kind as { fromDescriptor(part: object, edition: string): T }).fromDescriptor(part, edition);
  for (const part of file.enumType ?? [])
    space.add(fromDescriptor<protobuf.Enum>(protobuf.Enum, part));
  return (file.messageType ?? []).map(part => {
    const type = fromDescriptor<protobuf.Type>(protobuf.Type, part);
    space.add(type);
    return { name: type.fullName, messages: namesIn(type) };
  });
}

/**
 * Returns a message of a schema by its name or its place: the index among the messages of the file,
 * then among the messages within that one, and so on.
 * @throws Error if there is no such message
 */
export function messageType(
  { root, messages }: ProtobufSchema,
  place: readonly number[] | string,
): protobuf.Type {
  if (typeof place === 'string') return root.lookupType(place);
  let within = messages;
  let found: MessageNames | undefined;
  for (const index of place) {
    found = within[index];
    if (!found) throw new Error(`the Protobuf schema has no message ${place.join('.')}`);
    within = found.messages;
  }
  return root.lookupType(found!.name);
}
