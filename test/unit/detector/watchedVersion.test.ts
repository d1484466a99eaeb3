import { describe, expect, it } from 'vitest';
import { nothingAnnounced } from '../../../services/detector/checkpoints/foldLedger.ts';
import {
  hasWork,
  judgeableUntilMs,
  type WatchedVersion,
  withAnnouncement,
} from '../../../services/detector/judging/watchedVersion.ts';
import { nothingRead } from '../../../services/detector/judging/windowReadiness.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import type { WindowUpdate } from '../../../services/shared/contracts.ts';
import { hourMs } from './syntheticStream.ts';

/** Ten windows were judged before a restart, which loaded the fold as it was after the eighth. */
const version: WatchedVersion = {
  model: 'm',
  version: '1',
  settings: parseSettings('defaults: { window: 1h }', 'test').of('m'),
  readiness: nothingRead,
  ledger: {
    windowSizeMs: hourMs,
    position: nothingAnnounced,
    algorithm: '',
    referenceId: null,
    checkpoints: [],
    settings: [],
  },
  ledgerChanged: false,
  judgedUntilMs: 10 * hourMs,
  foldedUntilMs: 8 * hourMs,
  changedFromMs: Number.POSITIVE_INFINITY,
  labelsChangedFromMs: Number.POSITIVE_INFINITY,
  events: new Map(),
  alerts: new Map(),
  acceptances: new Map(),
  acts: [],
  storedVariables: null,
  live: null,
};
const nowMs = 1_000_000;

function announced(fields: Partial<WindowUpdate>, from = version): WatchedVersion {
  const update: WindowUpdate = {
    kind: 'profile',
    model: 'm',
    version: '1',
    sourcePartition: 0,
    watermark: null,
    windowSizeMs: hourMs,
    windowStarts: [],
    ...fields,
  };
  return withAnnouncement(from, update, { timestampMs: 5_000, offset: 7 }, nowMs);
}

describe('a watched version', () => {
  it('has windows to judge up to the last one that was judged before, even if no watermark is known', () => {
    expect(judgeableUntilMs(version, nowMs)).toBe(10 * hourMs);
    expect(hasWork(version, nowMs)).toBe(true);
    expect(hasWork({ ...version, foldedUntilMs: 10 * hourMs }, nowMs)).toBe(false);
  });

  it('has whole windows to judge up to the watermark, and all when the stream has ended', () => {
    const further = announced({ watermark: 12.5 * hourMs });
    expect(judgeableUntilMs(further, nowMs)).toBe(12 * hourMs);
    expect(judgeableUntilMs(announced({ kind: 'end' }, further), nowMs)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  it('has changed from the first announced window that was judged or folded', () => {
    const windowStarts = [12, 9, 3, 5].map(window => window * hourMs);
    expect(announced({ windowStarts }).changedFromMs).toBe(3 * hourMs);
    expect(announced({ windowStarts: [10 * hourMs] }).changedFromMs).toBe(Number.POSITIVE_INFINITY);
    expect(announced({ windowStarts: [9 * hourMs] }).changedFromMs).toBe(9 * hourMs);
  });

  it('has changed only in its labels when these are announced', () => {
    const windowStarts = [3 * hourMs, 12 * hourMs];
    const taken = announced({ kind: 'performance', watermark: null, windowStarts });
    expect(taken.changedFromMs).toBe(Number.POSITIVE_INFINITY);
    expect(taken.labelsChangedFromMs).toBe(3 * hourMs);
    expect(hasWork(taken, nowMs)).toBe(true);
  });

  it('takes only the position from an announcement of windows of another size', () => {
    const windowStarts = [3 * hourMs];
    const taken = announced({ watermark: 20 * hourMs, windowStarts, windowSizeMs: 60_000 });
    expect(taken).toEqual({
      ...version,
      ledger: { ...version.ledger, position: { announcedAtMs: 5_000, offset: 7 } },
      ledgerChanged: true,
    });
  });

  it('is never changed in place', () => {
    const before = structuredClone(version);
    announced({ watermark: 20 * hourMs, windowStarts: [0] });
    expect(version).toEqual(before);
  });
});
