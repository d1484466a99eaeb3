import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';

const root = new URL('../../', import.meta.url).pathname;
/** The code that turns records into windows. When it changes, the windows are counted again. */
const countedBy = [
  'services/shared/profile',
  'services/shared/records',
  'services/profiler/counting',
  'services/shared/output',
  'services/detector/blocks/windowObservation.ts',
  'quality/counting/meaningOfOutcomes.ts',
  'quality/counting/windowCounter.ts',
  'quality/counting/readStreamFolder.ts',
];

/** The code that generates streams whose counted windows are kept. */
export const generatedBy = ['quality/streams', 'services/shared/model/seededRandom.ts'];

/**
 * Opens a folder of counted streams, so that changed tests of drift need not read the records
 * again.
 * @param madeBy files and folders of the code, beside that which counts, that makes the streams
 */
export function streamCache(folder: string, madeBy: readonly string[] = []) {
  mkdirSync(folder, { recursive: true });
  const code = createHash('sha256');
  for (const path of [...countedBy, ...madeBy].flatMap(sourceFiles))
    code.update(readFileSync(join(root, path)));
  const codeHash = code.digest('hex');

  return {
    /**
     * Returns a value from the folder, or makes it and keeps it there.
     * @param files from which the value is made; their sizes and times of change are in the key
     * @param options all else that the value depends on
     */
    async get<T>(
      files: readonly string[],
      options: readonly (string | number)[],
      make: () => T | Promise<T>,
    ): Promise<T> {
      const states = files.map(file => {
        const { size, mtimeMs } = statSync(file);
        return [file, size, mtimeMs];
      });
      const key = createHash('sha256').update(JSON.stringify([codeHash, states, options]));
      const file = join(folder, `${key.digest('hex').slice(0, 32)}.bin`);
      const stored = readIfThere(file);
      if (stored) return deserialize(stored);
      const value = await make();
      // The rename makes the file complete or absent, also if this process is killed.
      writeFileSync(`${file}.${process.pid}`, serialize(value));
      renameSync(`${file}.${process.pid}`, file);
      return value;
    },
  };
}

export type StreamCache = ReturnType<typeof streamCache>;

function sourceFiles(path: string): string[] {
  if (path.endsWith('.ts')) return [path];
  return readdirSync(join(root, path))
    .filter(name => name.endsWith('.ts'))
    .sort()
    .map(name => `${path}/${name}`);
}

function readIfThere(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
