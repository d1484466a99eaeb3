import type { JudgedVersion } from '../artifacts/runResult.ts';
import { namesOfRows } from './bestCandidate.ts';
import type { RunStart, Training } from './runOutcome.ts';
import type { Snapshot } from './snapshot.ts';
import type { Candidate } from './trainCandidate.ts';

/** What a person has to say, and nobody has said here. */
const notStated = '**Not stated.**';

/** What is known of a version when it has been judged. */
export interface CardFacts {
  run: Pick<RunStart, 'cause' | 'championVersion' | 'change' | 'settings'>;
  snapshot: Pick<Snapshot, 'id' | 'rows' | 'split' | 'meaning' | 'features' | 'uri' | 'checksum'>;
  training: Training;
  candidate: Pick<Candidate, 'trainRows'>;
  version: JudgedVersion;
}

/**
 * Writes the model card of a version in Markdown, with the sections of Mitchell et al. (2019),
 * "Model Cards for Model Reporting", FAT* '19, pages 220-229, https://arxiv.org/abs/1810.03993. It
 * states what the run knows, and says visibly what only people can state.
 */
export function modelCard({ run, snapshot, training, candidate, version }: CardFacts): string {
  const { split, features, meaning, rows } = snapshot;
  const { cause, championVersion, change, settings } = run;
  const { segments, output } = settings;
  return [
    `# Model card: ${text(version.model)}, version ${text(version.version)}`,
    '## Model details',
    list({
      'Made by': `training run ${version.runId} of Driftloop`,
      Judged: iso(version.time),
      Trainer: training.trainer,
      Seed: training.seed,
      Because: `${cause.type.replaceAll('_', ' ')} ${cause.id}`,
      'Change since': change === null ? null : iso(change.atMs),
      Files: version.artifactUri,
      'Checksum of the files': version.artifactChecksum,
      'Person or organisation': notStated,
      'License, citation, contact': notStated,
    }),
    '## Intended use',
    list({
      'Primary uses': notStated,
      'Primary users': notStated,
      'Uses out of scope': notStated,
    }),
    '## Factors',
    list({
      'Segments that are judged by themselves':
        segments.length === 0 ? 'none' : segments.join(', '),
      'Groups and environments that matter': notStated,
    }),
    '## Metrics',
    list({
      Task: meaning.task,
      'Cost of errors': output.costs ? JSON.stringify(output.costs) : 'none set',
      'Why these measures': notStated,
    }),
    'Figures on the gate rows:',
    table(
      ['figure', 'value'],
      Object.entries(version.metrics).map(([name, value]) => [name, String(value)]),
    ),
    '## Evaluation data',
    list({
      Rows: `${size(split.gate)} labelled rows, the newest of the dataset`,
      Period: period(rows, split.gate),
      'Compared with':
        championVersion === '' ? null : `version ${championVersion}, on the same rows`,
      Motivation: notStated,
    }),
    '## Training data',
    list({
      Dataset: snapshot.id,
      File: snapshot.uri,
      'Checksum of the file': snapshot.checksum,
      Rows: `${rows.length} labelled rows: ${size(split.train)} to fit, ${size(split.select)} to choose, ${size(split.gate)} to judge`,
      Period: period(rows, { start: 0, end: rows.length }),
      'Fitted on': `${namesOfRows[candidate.trainRows.name]}, ${period(rows, candidate.trainRows.range)}`,
      'How the rows came to be, and consent': notStated,
    }),
    table(
      ['feature', 'type'],
      features.map(({ name, type }) => [name, type]),
    ),
    '## Quantitative analyses',
    `Outcome: ${version.status}. What the gates say:`,
    version.reasons.map(reason => `- ${text(reason)}`).join('\n'),
    '## Ethical considerations',
    notStated,
    '## Caveats and recommendations',
    notStated,
    '',
  ].join('\n\n');
}

function list(facts: Record<string, string | number | null>): string {
  return Object.entries(facts)
    .flatMap(([name, fact]) => (fact === null ? [] : [`- ${name}: ${text(String(fact))}`]))
    .join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Names may hold any character. */
function text(value: string): string {
  return value.replaceAll(/\s+/g, ' ').trim();
}

function cell(value: string): string {
  return text(value).replaceAll('|', '\\|');
}

function size({ start, end }: { start: number; end: number }): number {
  return end - start;
}

function period(
  rows: Snapshot['rows'],
  { start, end }: { start: number; end: number },
): string | null {
  const [first, last] = [rows[start], rows[end - 1]];
  return first && last
    ? `${iso(first.eventTimeMs)} to ${iso(last.eventTimeMs)} (event time)`
    : null;
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
