import { z } from 'zod';
import { modelFolderName, predictionsFile } from '../trainer/trainerContract.ts';

/** Name of the file that says how a training outside has ended. It is put there last. */
export const resultFile = 'result.json';

const maxFiles = 10_000;
const maxReasonCharacters = 1_000;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hexadecimal digits');

const resultSchema = z.discriminatedUnion('status', [
  z.object({
    runId: z.string(),
    status: z.literal('succeeded'),
    files: z.record(z.string(), sha256),
    codeVersion: z.string().max(200).optional(),
  }),
  z.object({ runId: z.string(), status: z.literal('failed'), reason: z.string() }),
]);

/** The files that a platform left, by path with their SHA-256, and the code that trained. */
export interface TrainedFiles {
  files: Readonly<Record<string, string>>;
  codeVersion?: string | undefined;
}

/** What a platform says of a training, or why that cannot be used, as sentences to publish. */
export type TrainingResult =
  /** There is nothing, or the beginning of a file that is still being written. */
  | { kind: 'none'; found: string }
  | { kind: 'trained'; trained: TrainedFiles }
  | { kind: 'failed'; reason: string };

/** Reads the content of `result.json`, or null if there is no such file. */
export function readTrainingResult(content: Buffer | null, runId: string): TrainingResult {
  if (content === null) return { kind: 'none', found: `There was no ${resultFile}.` };
  let json: unknown;
  try {
    json = JSON.parse(content.toString('utf8'));
  } catch (error) {
    return { kind: 'none', found: `${resultFile} is not JSON: ${(error as Error).message}.` };
  }
  const parsed = resultSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refused(`${issue!.path.join('.') || 'content'}: ${issue!.message}`);
  }
  const result = parsed.data;
  if (result.runId !== runId)
    return refused(`runId: expected ${runId}, got ${JSON.stringify(result.runId.slice(0, 100))}`);
  if (result.status === 'failed')
    return {
      kind: 'failed',
      reason: `The training outside failed: ${result.reason.slice(0, maxReasonCharacters)}`,
    };
  const mistake = filesMistake(Object.keys(result.files));
  if (mistake !== null) return refused(`files: ${mistake}`);
  const { files, codeVersion } = result;
  return { kind: 'trained', trained: { files, codeVersion } };
}

function refused(mistake: string): TrainingResult {
  return { kind: 'failed', reason: `The result was refused: ${resultFile}: ${mistake}.` };
}

/** Says what is wrong with a list of files, or returns null. */
function filesMistake(paths: readonly string[]): string | null {
  if (paths.length > maxFiles) return `expected at most ${maxFiles} files, got ${paths.length}`;
  const outside = paths.find(path => !isInside(path));
  if (outside !== undefined)
    return `expected ${predictionsFile}, and paths below ${modelFolderName}/, got ${JSON.stringify(outside.slice(0, 200))}`;
  if (!paths.includes(predictionsFile)) return `${predictionsFile} is missing`;
  return paths.length > 1 ? null : `a file below ${modelFolderName}/ is missing`;
}

function isInside(path: string): boolean {
  if (path === predictionsFile) return true;
  const [folder, ...names] = path.split('/');
  return (
    folder === modelFolderName &&
    names.length > 0 &&
    names.every(name => name !== '' && !/^\.{1,2}$|[\\\0]/.test(name))
  );
}
