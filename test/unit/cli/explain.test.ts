import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  accountOfReport,
  readReport,
  requestOfEvent,
} from '../../../bin/explain/accountOfReport.ts';
import { accountText } from '../../../bin/explain/accountText.ts';
import { foldWindow } from '../../../services/detector/fold/detector.ts';
import { driftMetrics } from '../../../services/detector/fold/driftMetrics.ts';
import { initialState } from '../../../services/detector/fold/foldState.ts';
import { accountFor, type WindowAccount } from '../../../services/detector/fold/windowAccount.ts';
import { context, foldAll, hourMs, syntheticWindows } from '../detector/syntheticStream.ts';

const folder = mkdtempSync(join(tmpdir(), 'driftloop-explain-'));
afterAll(() => rmSync(folder, { recursive: true }));
const onset = 40;
const windows = syntheticWindows({
  seed: 5,
  windows: onset + 2,
  records: 200,
  recordOf: (random, window) => ({
    features: { age: random.normal() + (window < onset ? 0 : 1.5), city: 'Rome' },
    prediction: random.uniform() < 0.5 ? 'up' : 'down',
  }),
});

/** Accounts for a window, with the rows and the drift event that the fold gave. */
function folded(index: number) {
  let state = initialState(null, context, hourMs);
  for (const window of windows.slice(0, index)) state = foldWindow(state, window, context).state;
  const window = windows[index]!;
  const folded = foldWindow(state, window, context);
  const rows = driftMetrics(state, folded, context);
  const event = folded.verdict.changes.at(-1);
  return { account: accountFor(state, window, context), rows, event };
}

const iso = (timeMs: number) => new Date(timeMs).toISOString();

/** Returns the parts of a report of `driftloop replay` that `explain` reads. */
function reportOf(index: number): string {
  const { rows, event, account } = folded(index);
  const start = iso(index * hourMs);
  const report = {
    models: [
      {
        model: 'm',
        version: '1',
        windowSizeMs: hourMs,
        windows: [{ start, count: 200, status: account.status }],
        driftMetrics: rows.map(row => ({
          ...row,
          segment: '',
          start,
          feature: row.feature || null,
        })),
      },
    ],
    driftEvents: event
      ? [{ ...event, windowStart: iso(event.windowStart), evidenceWindowStart: start }]
      : [],
  };
  const path = join(folder, `report-${index}.json`);
  writeFileSync(path, JSON.stringify(report));
  return path;
}

describe('explain', () => {
  it('says what changed, what it was compared with and what was needed', () => {
    const text = accountText(folded(onset).account, null);
    expect(text).toContain(
      'm 1, window from 1970-01-02 16:00 to 1970-01-02 17:00 UTC, 200 records',
    );
    expect(text).toMatch(/Verdict: drift\. \d+ of \d+ tests in \d families say "changed"\./);
    expect(text).toContain('The bootstrap reference has 40 windows');
    expect(text).toMatch(
      /█{20} likelihood_ratio(_trend)? of age [\d.]+; it alarms from [\d.]+\. CHANGED/,
    );
    for (const line of text.split('\n').filter(line => !line.includes('█') && !line.includes('?')))
      expect(line.length).toBeLessThanOrEqual(100);
  });

  it('says how far each test of a steady window was from its threshold', () => {
    const { account } = folded(onset - 1);
    const text = accountText(account, null);
    expect(text).toContain('Verdict: no drift.');
    expect(text).toMatch(/Nearest to an alarm is \w+ of \w+, which went \d+ % of the way\./);
    const tests = account.families.flatMap(family => family.tests);
    expect(new Set(tests.map(({ scale }) => scale))).toEqual(new Set([1, 2, 4, 8]));
    for (const { nearness, changed, value, threshold } of tests) {
      expect(changed).toBe(false);
      expect(nearness).toBeLessThan(1);
      if (threshold !== null) expect(value).toBeLessThan(threshold);
    }
  });

  it('shows the tests of one feature', () => {
    const text = accountText(folded(onset).account, 'city');
    expect(text).toContain('missing_rate of city');
    expect(text).not.toContain('of age [');
    expect(text).not.toMatch(/[█░]{20} .* of age/);
  });

  it('says which features are watched as something else than numbers or categories', () => {
    const { account } = folded(onset);
    expect(account.features).toMatchObject([
      { feature: 'age', kind: 'numeric' },
      { feature: 'city', kind: 'categorical' },
    ]);
    expect(accountText(account, null)).not.toContain('Watched as');
    const features = [{ feature: 'created', kind: 'time' as const }, ...account.features];
    expect(accountText({ ...account, features }, null)).toContain(
      'Watched as what they are: created (time).',
    );
    expect(accountText({ ...account, features }, 'age')).not.toContain('Watched as');
  });

  it('says why nothing was tested while the reference is gathered', () => {
    const text = accountText(folded(3).account, null);
    expect(text).toContain(
      'Verdict: none yet. The window became part of the first reference, as number 4',
    );
  });

  it('says that a window waits, and what the day that it ended showed', () => {
    const day = 20;
    const last = (day + 1) * 24 - 1;
    // Five hours in a row have enough records for a test. The last ones of the day are four.
    const hours = syntheticWindows({
      seed: 6,
      windows: last + 1,
      records: 12,
      recordOf: (random, window) => ({
        features: { age: random.normal() + (window < day * 24 ? 0 : 0.4) },
        prediction: random.uniform() < 0.5 ? 'up' : 'down',
      }),
    });
    const { state, events } = foldAll(hours.slice(0, last));
    expect(events).toEqual([]);
    const account = accountFor(state, hours[last]!, context);
    expect(account).toMatchObject({ status: 'drift', untested: null, event: { status: 'open' } });
    const text = accountText(account, null);
    expect(text).toContain(
      'm 1, window from 1970-01-21 23:00 to 1970-01-22 00:00 UTC, 12 records, all predictions',
    );
    const sentences = text.replaceAll(/\n */g, ' ');
    expect(sentences).toMatch(
      /Verdict: drift\. 1 of \d+ tests in \d families say "changed"\. The window waits for more records: 48 are there and a test needs 50\. The day or week that it ended was tested\. Drift event [0-9a-f]{32} \(open\): 1 of 1 features has another distribution, most of all age: /,
    );
    expect(sentences).toMatch(
      /█{20} likelihood_ratio_trend of age [\d.]+; it alarms from [\d.]+\. CHANGED p [\de.-]+ where [\d.]+ was needed; 288 records of the last 24 windows against 5760 in all earlier windows/,
    );
    for (const line of text.split('\n').filter(line => !line.includes('█') && !line.includes('?')))
      expect(line.length).toBeLessThanOrEqual(100);
  });

  it('explains the rows of a report as it explains the fold, at the scales of the rows', () => {
    const report = readReport(reportOf(onset));
    const { account } = folded(onset);
    const request = requestOfEvent(report, account.event!.id);
    const ofReport = accountOfReport(report, request);
    expect(ofReport).toMatchObject({ status: 'drift', event: { id: account.event!.id } });
    const key = ({ feature, metric, scale }: WindowAccount['families'][0]['tests'][0]) =>
      `${feature} ${metric} ${scale}`;
    const folds = new Map(
      account.families.flatMap(({ tests }) => tests).map(test => [key(test), test]),
    );
    const reported = ofReport.families.flatMap(({ tests }) => tests);
    expect(reported.length).toBeGreaterThan(8);
    for (const test of reported)
      expect(folds.get(key(test))).toMatchObject({ ...test, nearness: expect.any(Number) });
  });

  it.each([
    [
      'a file that is missing',
      () => readReport('/nowhere/report.json'),
      /--report \/nowhere\/report.json: /,
    ],
    [
      'an unknown event',
      () => requestOfEvent(readReport(reportOf(onset)), 'x'),
      /no drift event x; it has /,
    ],
    [
      'an unknown version',
      () =>
        accountOfReport(readReport(reportOf(5)), {
          model: 'm',
          version: '9',
          segment: '',
          timeMs: 0,
        }),
      /no version m 9; it has m 1/,
    ],
    [
      'a window without predictions',
      () =>
        accountOfReport(readReport(reportOf(5)), {
          model: 'm',
          version: '1',
          segment: '',
          timeMs: 0,
        }),
      /no window of m 1 at 1970-01-01T00:00:00.000Z/,
    ],
  ])('names %s', (_, explain, message) => {
    expect(explain).toThrow(message);
  });
});
