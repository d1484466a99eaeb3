import { dirname, join } from 'node:path/posix';

/**
 * The folders of each part of the project as steps of a staircase: a file imports only from its own
 * folder and from lower steps, which stand further down in the list. `.` are the files of the part
 * itself. This is the order in which to read.
 */
export const staircases: Record<string, readonly string[]> = {
  '.': ['quality', 'bench', 'examples', 'bin', 'infra', 'services'],
  quality: [
    '.',
    'loop',
    'vectors',
    'peers',
    'estimates',
    'report',
    'judge',
    'streams',
    'counting',
    'terminal',
  ],
  bench: ['.', 'measurements', 'processes', 'peers', 'streams', 'harness'],
  examples: ['electricity', '.'],
  bin: [
    '.',
    'commands',
    'up',
    'rebuild',
    'explain',
    'replay',
    'report',
    'deadLetters',
    'versions',
    'servers',
    'terminal',
  ],
  infra: ['local', 'installation', 'kafka', 'clickhouse', 'peers', 'python'],
  'infra/local': ['loop', '.', 'clickhouse', 'processes'],
  services: ['profiler', 'evaluator', 'detector', 'retrainer', 'mlflow', 'shared'],
  'services/detector': [
    '.',
    'judging',
    'store',
    'checkpoints',
    'fold',
    'events',
    'families',
    'significance',
    'reference',
    'blocks',
  ],
  'services/evaluator': ['.', 'estimates', 'learning', 'performance', 'windows'],
  'services/profiler': ['.', 'flagging', 'memory', 'store', 'blocks', 'counting'],
  'services/retrainer': [
    '.',
    'shadow',
    'run',
    'registry',
    'store',
    'artifacts',
    'gates',
    'external',
    'trainer',
    'dataset',
    'causes',
    'versions',
  ],
  'services/mlflow': ['.', 'sync', 'store', 'content', 'client'],
  'services/shared': [
    'service',
    'windows',
    'output',
    'records',
    'avro',
    'protobuf',
    'kafka',
    'clickhouse',
    'statistics',
    'model',
    'kinds',
    'bins',
    'profile',
    'config',
    'guardrails',
    'artifacts',
    '.',
  ],
};

/**
 * Packages and files that only some folders may import. All other code goes through these folders.
 */
const reserved: Record<string, readonly string[]> = {
  kafkajs: ['services/shared/kafka', 'services/shared/service'],
  '@clickhouse/client': ['services/shared/clickhouse', 'bin'],
  '@aws-sdk/client-s3': ['services/shared/artifacts'],
};

export interface Import {
  file: string;
  /** A path from the root of the project, or the name of a package. */
  imported: string;
}

/** Finds every import and re-export of a file, of types as well. */
export function importsOf(file: string, source: string): Import[] {
  const specifiers = source.matchAll(
    /^(?:import|export)\b[^;'"]*?(?:from )?'([^']+)';|\bimport\('([^']+)'\)/gm,
  );
  return Array.from(specifiers, ([, fixed, dynamic]) => {
    const specifier = (fixed ?? dynamic)!;
    return {
      file,
      imported: specifier.startsWith('.') ? join(dirname(file), specifier) : specifier,
    };
  });
}

/** Says which imports break a rule, one sentence each. */
export function brokenRules(imports: readonly Import[]): string[] {
  return imports.flatMap(one => [...brokenSteps(one), ...brokenReservation(one)]);
}

const isStore = /(^|\/)(store\/[^/]+|store|\w+Store)\.ts$/;
const clickhouseRequest =
  /\bclickhouse\s*\.(select|selectEach|insert|insertBlock|command|export)\s*[<(]/g;

/**
 * Says where a file of a service sends requests to ClickHouse although it is no store, one sentence
 * each.
 */
export function requestsOutsideStores(file: string, source: string): string[] {
  if (!file.startsWith('services/') || isStore.test(file)) return [];
  return Array.from(
    source.matchAll(clickhouseRequest),
    ([, method]) => `${file} calls clickhouse.${method}, which only stores do.`,
  );
}

function brokenSteps({ file, imported }: Import): string[] {
  return Object.entries(staircases).flatMap(([part, steps]) => {
    const from = stepOf(part, file);
    const to = stepOf(part, imported);
    if (from === null || to === null || from === to) return [];
    const known = steps.includes(from) && steps.includes(to);
    if (!known) {
      const unknown = steps.includes(from) ? to : from;
      return [
        `${part}/${unknown} has no place in the staircase of ${part} (${file} imports ${imported}).`,
      ];
    }
    const isSibling = part === 'services' && to !== 'shared';
    if (isSibling) return [`${file} imports ${imported}, of another service.`];
    return steps.indexOf(from) < steps.indexOf(to)
      ? []
      : [`${file} imports ${imported}, which is a higher step.`];
  });
}

function brokenReservation({ file, imported }: Import): string[] {
  const folders = reserved[imported];
  const isProduct = /^(services|infra|bin)\//.test(file);
  if (!folders || !isProduct || folders.some(folder => file.startsWith(`${folder}/`))) return [];
  return [`${file} imports ${imported}, which is reserved to ${folders.join(' and ')}.`];
}

/** @example stepOf('services/detector', 'services/detector/fold/detector.ts') // 'fold' */
function stepOf(part: string, path: string): string | null {
  const inside =
    part === '.' ? path : path.startsWith(`${part}/`) ? path.slice(part.length + 1) : null;
  if (inside === null) return null;
  const [first, ...rest] = inside.split('/');
  if (part === '.' && (rest.length === 0 || !staircases['.']!.includes(first!))) return null;
  return rest.length === 0 ? '.' : first!;
}
