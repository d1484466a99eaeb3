import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { UserError } from '../userError.ts';

/**
 * Reads YAML text by a schema.
 * @param source name of the file, for messages
 * @throws UserError with one line per mistake: `file:line: path: what was expected (got …)`
 */
export function parseYaml<Schema extends z.ZodType>(
  text: string,
  source: string,
  schema: Schema,
): z.output<Schema> {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  if (document.errors.length > 0) {
    throw new UserError(
      document.errors.map(error => `${source}: ${error.message.split('\n')[0]}`).join('\n'),
    );
  }
  const parsed = schema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.flatMap(issue => {
    const paths =
      issue.code === 'unrecognized_keys'
        ? issue.keys.map(key => [...issue.path, key])
        : [issue.path];
    return paths.map(path => {
      const node = document.getIn(path, true) as { range?: [number] } | undefined;
      const line = node?.range ? `:${lineCounter.linePos(node.range[0]).line}` : '';
      const message = issue.code === 'unrecognized_keys' ? 'is not a setting' : issue.message;
      return `${source}${line}: ${path.join('.') || '(file)'}: ${message} (got ${JSON.stringify(document.getIn(path))})`;
    });
  });
  throw new UserError(lines.join('\n'));
}
