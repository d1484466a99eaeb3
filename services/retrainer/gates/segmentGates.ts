import { compared, type Gate, type GateRow, gate, weightsOf } from './gate.ts';
import type { Losses } from './losses.ts';
import { effectiveValues, type MeanInterval, meanInterval, minValues } from './meanInterval.ts';

const maxValuesPerSegment = 20;
const maxNamedSegments = 10;
const level = 0.95;

interface Segment {
  segment: string;
  members: number[];
}

/**
 * Requires that the challenger is not worse than the champion beyond the margin in any declared
 * segment. The error probability is shared among the segments that are compared (Holm, Scandinavian
 * Journal of Statistics 6, 1979). Segments with too few rows are named.
 * @param names settings.segments
 */
export function judgeSegments(
  rows: readonly GateRow[],
  losses: Losses,
  names: readonly string[],
): Gate[] {
  const segments = names.flatMap(name => rowsOfSegments(rows, name));
  const isLarge = ({ members }: Segment) => effectiveRows(rows, members) >= minValues;
  const areFinite = ({ members }: Segment) => differences(losses, members).every(Number.isFinite);
  const large = segments.filter(isLarge);
  const comparable = large.filter(areFinite);
  const harmed = harmedSegments(losses, comparable);
  return [
    ...large.map(segment => {
      const { members } = segment;
      const name = `Segment ${segment.segment}`;
      if (!comparable.includes(segment))
        return {
          outcome: 'passed' as const,
          reason: `${name}: not compared. An output is not a finite number.`,
        };
      const levelOfSegment = harmed.get(segment) ?? 1 - (1 - level) / comparable.length;
      const interval = intervalOf(losses, members, levelOfSegment);
      return gate(
        harmed.has(segment) ? 'failed' : 'passed',
        name,
        `On ${members.length} rows, the challenger's ${losses.name}, ` +
          `compared with the champion's, is ${compared(interval, levelOfSegment)}.`,
      );
    }),
    ...unsupported(segments.filter(segment => !isLarge(segment))),
  ];
}

/**
 * Returns the segments in which the challenger is worse, with the level at which each was found.
 * Those that are found leave more error probability to the others.
 */
function harmedSegments(losses: Losses, segments: readonly Segment[]): Map<Segment, number> {
  const harmed = new Map<Segment, number>();
  for (;;) {
    const rest = segments.filter(segment => !harmed.has(segment));
    const levelOfRest = 1 - (1 - level) / rest.length;
    const found = rest.filter(
      ({ members }) => intervalOf(losses, members, levelOfRest).high < -losses.margin,
    );
    if (found.length === 0) return harmed;
    for (const segment of found) harmed.set(segment, levelOfRest);
  }
}

function intervalOf(losses: Losses, members: readonly number[], ofLevel: number): MeanInterval {
  const { weights, entities } = losses;
  return meanInterval(
    differences(losses, members),
    ofLevel,
    weights && members.map(row => weights[row]!),
    entities && members.map(row => entities[row]!),
  );
}

function differences({ champion, challenger }: Losses, members: readonly number[]): number[] {
  return members.map(row => champion[row]! - challenger[row]!);
}

function effectiveRows(rows: readonly GateRow[], members: readonly number[]): number {
  const ofMembers = members.map(row => rows[row]!);
  return effectiveValues(ofMembers, weightsOf(ofMembers));
}

function unsupported(segments: readonly Segment[]): Gate[] {
  if (segments.length === 0) return [];
  const named = segments
    .slice(0, maxNamedSegments)
    .map(({ segment, members }) => `${segment} (${members.length} rows)`);
  const more = segments.length - named.length;
  return [
    {
      outcome: 'passed',
      reason:
        `Small segments: not compared. At least ${minValues} rows are needed in ` +
        `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
    },
  ];
}

/** Returns the largest segments of a name. */
function rowsOfSegments(rows: readonly GateRow[], name: string): Segment[] {
  const members = new Map<string, number[]>();
  for (const [index, { truth }] of rows.entries()) {
    const value = truth.segments[name];
    if (value === undefined) continue;
    const known = members.get(value);
    if (known) known.push(index);
    else members.set(value, [index]);
  }
  return [...members]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, maxValuesPerSegment)
    .map(([value, indices]) => ({ segment: `${name}=${value}`, members: indices }));
}
