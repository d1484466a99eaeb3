import type {
  EventAccount,
  FamilyAccount,
  TestAccount,
  WindowAccount,
} from '../../services/detector/fold/windowAccount.ts';
import { utcMinute } from '../../services/shared/utcMinute.ts';

const barCells = 20;
const maxColumns = 100;
const maxTestsOfChangedFamily = 5;
const maxTestsOfSteadyFamily = 2;
const maxFeatures = 12;

/**
 * Prints an account for a person: the verdict first, then for each family the tests that came
 * nearest to an alarm.
 */
export function accountText(account: WindowAccount, onlyFeature: string | null): string {
  const all = account.families.map(family => ({
    ...family,
    tests: strongestScales(family.tests).filter(
      ({ feature }) => onlyFeature === null || feature.split(' × ').includes(onlyFeature),
    ),
  }));
  const families = all.filter(({ tests }) => tests.length > 0);
  const sections = families.map(family => familyText(family, onlyFeature !== null));
  return [
    titleOf(account),
    verdictOf(account, families),
    referenceText(account),
    featuresText(account, onlyFeature),
    ...sections,
  ]
    .filter(text => text !== '')
    .join('\n\n');
}

function titleOf({ model, version, segment, windowStartMs, windowEndMs, records }: WindowAccount) {
  const whose = segment === '' ? 'all predictions' : segment;
  return (
    `${model} ${version}, window from ${utcMinute(windowStartMs)} to ${utcMinute(windowEndMs)} UTC, ` +
    `${records} records, ${whose}`
  );
}

function verdictOf(account: WindowAccount, families: readonly FamilyAccount[]): string {
  const { status, untested, waiting, event } = account;
  if (untested !== null) return `Verdict: none yet. ${untested}`;
  const changed = families.filter(family => family.changed);
  const withheld = changed.filter(family => family.withheld !== '');
  const lines = [`Verdict: ${status === 'drift' ? 'drift' : 'no drift'}. ${countText(families)}`];
  if (waiting !== null) lines.push(wrapped(waiting));
  if (event) {
    lines.push(wrapped(`Drift event ${event.id} (${standingOf(event)}): ${event.explanation}`));
    if (event.standing !== null) lines.push(wrapped(event.standing));
  }
  for (const { name, withheld: reason } of withheld)
    lines.push(`The family ${name} changed and opened no event. ${reason}`);
  const nearest = families
    .flatMap(({ tests }) => tests)
    .reduce<TestAccount | null>(
      (left, right) => (left && left.nearness >= right.nearness ? left : right),
      null,
    );
  if (changed.length === 0 && nearest)
    lines.push(
      `Nearest to an alarm is ${nameOf(nearest)}, which went ${share(nearest.nearness)} of the way.`,
    );
  return lines.join('\n');
}

/** @example 'closed: mended by 4' */
function standingOf({ status, persistingSince, endReason, endedBy }: EventAccount): string {
  if (endReason !== null) {
    const by = endedBy === null ? '' : ` by ${endedBy}`;
    return `${status}: ${endReason.replace('_', ' ')}${by}`;
  }
  return persistingSince === null
    ? status
    : `${status}, persisting since ${utcMinute(persistingSince)} UTC`;
}

function countText(families: readonly FamilyAccount[]): string {
  const tests = families.reduce((total, family) => total + family.tests.length, 0);
  const changed = families.flatMap(family => family.tests.filter(test => test.changed)).length;
  return `${changed} of ${tests} tests in ${families.length} families say "changed".`;
}

function referenceText({ reference, untested }: WindowAccount): string {
  if (!reference || untested !== null) return '';
  return wrapped(
    `The ${reference.source} reference has ${reference.blocks} windows (or groups of small ones) from ` +
      `${utcMinute(reference.fromMs)} to ${utcMinute(reference.toMs)} UTC with ${reference.records} records. ` +
      'Instead of all of it, a test compares with the same times of earlier days or weeks if the past ' +
      'showed that it has less to explain then.',
  );
}

const plainKinds: ReadonlySet<string> = new Set(['numeric', 'categorical']);

/** Says which features are watched as something else than numbers or categories. */
function featuresText({ features }: WindowAccount, onlyFeature: string | null): string {
  const special = features.filter(
    ({ feature, kind }) =>
      !plainKinds.has(kind) && (onlyFeature === null || feature === onlyFeature),
  );
  if (special.length === 0) return '';
  const named = special.slice(0, maxFeatures).map(({ feature, kind }) => `${feature} (${kind})`);
  const others = special.length - named.length;
  return wrapped(
    `Watched as what they are: ${named.join(', ')}${others > 0 ? `, and ${others} more` : ''}.`,
  );
}

function familyText({ name, question, changed, tests }: FamilyAccount, showAll: boolean): string {
  const maxTests = changed ? maxTestsOfChangedFamily : maxTestsOfSteadyFamily;
  const ranked = tests.toSorted(
    (left, right) => Number(right.changed) - Number(left.changed) || right.nearness - left.nearness,
  );
  const shown = ranked.slice(0, showAll ? ranked.length : maxTests);
  const others = ranked.length - shown.length;
  return [
    `${name}: ${question} ${changed ? 'Yes.' : 'No.'}`,
    ...shown.map(testText),
    ...(others > 0 ? [`  ${others} more; --feature NAME shows all tests of a feature.`] : []),
  ].join('\n');
}

function testText(test: TestAccount): string {
  const { value, referenceValue, threshold, pValue, level, changed } = test;
  const before = referenceValue === null ? '' : ` (${shown(referenceValue)} before)`;
  const needed =
    threshold === null
      ? 'no value would alarm, because the stream has too little history'
      : `it alarms from ${shown(threshold)}`;
  const details = [
    `p ${shown(pValue)} where ${shown(level)} was needed`,
    comparedText(test),
    variationText(test),
  ];
  return [
    `  ${bar(test.nearness)} ${nameOf(test)} ${shown(value)}${before}; ${needed}${changed ? '. CHANGED' : ''}`,
    wrapped(`${details.join('; ')}.`, '    '),
  ].join('\n');
}

function nameOf({ metric, feature }: TestAccount): string {
  return feature === '' ? metric : `${metric} of ${feature}`;
}

function comparedText({ scale, records, referenceRecords, cycle, kind }: TestAccount): string {
  const pooled = scale === 1 ? 'this window' : `the last ${scale} windows`;
  const counted = kind === 'performance' ? 'labels' : 'records';
  const times = { day: 'at the same time of the day', week: 'at the same time of the week' };
  const against = cycle === null ? 'in all earlier windows' : times[cycle];
  return `${records} ${counted} of ${pooled} against ${referenceRecords} ${against}`;
}

function variationText({ overdispersion, noiseWeight }: TestAccount): string {
  if (overdispersion === null) return 'how this stream varies is not known';
  const kind =
    noiseWeight >= 0.5 ? 'this stream varies by sampling noise' : 'this stream varies by itself';
  return shown(overdispersion) === '1'
    ? kind
    : `${kind}, with ${shown(overdispersion)} times the variance of independent records`;
}

/**
 * Keeps for each metric of each variable the scale that decided, or else the one that came nearest.
 */
function strongestScales(tests: readonly TestAccount[]): TestAccount[] {
  const strongest = new Map<string, TestAccount>();
  for (const test of tests) {
    const key = `${test.kind}/${test.metric}/${test.feature}`;
    const known = strongest.get(key);
    if (!known || rankOf(test) > rankOf(known)) strongest.set(key, test);
  }
  return [...strongest.values()];
}

function rankOf({ changed, nearness }: TestAccount): number {
  return (changed ? 1_000_000 : 0) + nearness;
}

/** @example bar(0.5) // '██████████░░░░░░░░░░' */
function bar(nearness: number): string {
  const filled = Math.min(barCells, Math.floor(nearness * barCells));
  return '█'.repeat(filled) + '░'.repeat(barCells - filled);
}

/** @example share(0.756) // '76 %' */
function share(nearness: number): string {
  return `${Math.floor(Math.min(1, nearness) * 100)} %`;
}

/** @example shown(0.123456) // '0.123' */
function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** Breaks a text into lines of at most `maxColumns`. A longer word has a line of its own. */
function wrapped(text: string, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > maxColumns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map(one => indent + one).join('\n');
}
