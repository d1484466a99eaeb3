/** Something that happened. Times are ISO 8601 in UTC. */
export type StoryEntry =
  /** The demo speaks about its own work. */
  | { kind: 'note'; text: string }
  /** The scorer has trained version 1. */
  | { kind: 'trained'; model: string; version: string; rows: number; from: string; to: string }
  /** Driftloop has seen the first predictions of a version. */
  | { kind: 'discovered'; model: string; version: string; firstEventTime: string }
  | DriftEntry
  | TrainingEntry
  /** The retrainer has published the status of a version. */
  | {
      kind: 'version';
      version: string;
      status: string;
      championVersion: string;
      artifactUri: string;
    }
  /** The scorer serves another version from an event time on. */
  | { kind: 'switched'; from: string; to: string; at: string }
  | ({ kind: 'quarter' } & QuarterAccuracy);

/**
 * The latest revision of a drift event. It is told when the event opens, and when its status or
 * cause changes.
 */
export interface DriftEntry {
  kind: 'drift';
  toldBefore: boolean;
  id: string;
  revision: number;
  status: 'open' | 'closed' | 'withdrawn';
  version: string;
  cause: string;
  severity: string;
  feature: string | null;
  metric: string;
  value: number;
  threshold: number;
  detectedAt: string;
  explanation: string;
}

/** A run of the retrainer. It is told when it starts and when it ends. */
export interface TrainingEntry {
  kind: 'training';
  id: string;
  status: 'started' | 'skipped' | 'failed' | 'approved' | 'rejected';
  causeType: string;
  causeId: string;
  championVersion: string;
  candidateVersion: string;
  /** Reasons of the verdict, gate by gate. */
  reasons: string[];
  metrics: Record<string, number>;
}

export interface QuarterAccuracy {
  /** Quarter in UTC, such as 1996-Q3. */
  quarter: string;
  predictions: number;
  /** Share of right predictions of the version that served. */
  accuracyWithLoop: number;
  /** Share that version 1 would have had if it had not been replaced. */
  accuracyAlone: number;
}

const titleWidth = 12;
const lineWidth = 120;
const idCharacters = 8;

/** Formats an entry for the terminal. */
export function storyText(entry: StoryEntry): string {
  const [title, ...lines] = storyLines(entry);
  return lines
    .flatMap(wrapped)
    .map((line, index) => `${(index === 0 ? title! : '').padEnd(titleWidth)}${line}`)
    .join('\n');
}

/** Breaks a line between words, and indents what follows. */
function wrapped(line: string): string[] {
  const indent = /^ */.exec(line)![0];
  const lines: string[] = [];
  let current = indent;
  for (const word of line.trim().split(' ')) {
    if (current.trim() !== '' && current.length + word.length + 1 > lineWidth - titleWidth) {
      lines.push(current);
      current = `${indent}  `;
    }
    current += current.trim() === '' ? word : ` ${word}`;
  }
  return [...lines, current];
}

function storyLines(entry: StoryEntry): string[] {
  switch (entry.kind) {
    case 'note':
      return ['', entry.text];
    case 'trained':
      return [
        'scorer',
        `has trained version ${entry.version} of ${entry.model} on ${entry.rows} half-hours, ${day(entry.from)} to ${day(entry.to)}`,
      ];
    case 'discovered':
      return [
        'discovered',
        `model ${entry.model}, version ${entry.version}, by its first predictions (${day(entry.firstEventTime)}); it was not registered`,
      ];
    case 'drift':
      return driftLines(entry);
    case 'training':
      return trainingLines(entry);
    case 'version':
      return ['version', `${entry.version} is published on model-versions: ${entry.status}`];
    case 'switched':
      return [
        'scorer',
        `serves version ${entry.to} instead of ${entry.from} from ${day(entry.at)} on`,
      ];
    case 'quarter':
      return [
        entry.quarter,
        `accuracy ${percent(entry.accuracyWithLoop)} with the loop, ${percent(entry.accuracyAlone)} with version 1 alone`,
      ];
  }
}

function driftLines(entry: DriftEntry): string[] {
  const { status, version, cause, severity, feature, detectedAt, explanation } = entry;
  const event = `event ${entry.id.slice(0, idCharacters)}`;
  if (status !== 'open') return ['drift', `${event} of version ${version} is ${status}`];
  const what = `${cause} of version ${version}${feature === null ? '' : `, most in ${feature}`} (${severity})`;
  const headline = entry.toldBefore
    ? `${event} is now ${what}`
    : `${day(detectedAt)}: ${what}, ${event}`;
  return ['drift', headline, `  ${explanation}`];
}

function trainingLines({
  id,
  status,
  causeType,
  causeId,
  reasons,
  candidateVersion,
}: TrainingEntry): string[] {
  const name = id.slice(0, idCharacters);
  const cause =
    causeType === 'drift_event'
      ? `event ${causeId.slice(0, idCharacters)}`
      : `the setting ${causeId.split(' ')[0]}`;
  if (status === 'started') return ['training', `run ${name} starts because of ${cause}`];
  const what = candidateVersion === '' ? status : `version ${candidateVersion} is ${status}`;
  return ['training', `run ${name}: ${what}`, ...reasons.map(reason => `  ${reason}`)];
}

function day(isoTime: string): string {
  return isoTime.slice(0, 10);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
