import { describe, expect, it } from 'vitest';
import {
  detectionAt,
  type SettingsTimeline,
  withSettings,
} from '../../../services/detector/fold/settingsTimeline.ts';
import { context } from './syntheticStream.ts';

const strict = { ...context.detection, minimumRecords: 100 };
const lax = { ...context.detection, minimumRecords: 20 };

describe('the timeline of detection settings', () => {
  const timeline = withSettings(withSettings([], strict, 0), lax, 10);

  it('has the new settings from the change on and the old ones before it', () => {
    expect([-5, 0, 9, 10, 99].map(startMs => detectionAt(timeline, startMs))).toEqual([
      strict,
      strict,
      strict,
      lax,
      lax,
    ]);
  });

  it('stays the same while the settings do, for any order of their fields', () => {
    const reordered = Object.fromEntries(Object.entries(lax).reverse()) as typeof lax;
    expect(withSettings(timeline, reordered, 20)).toBe(timeline);
  });

  it('drops settings that no window was judged with', () => {
    expect(withSettings(timeline, strict, 10)).toEqual([
      { fromMs: 0, detection: strict },
      { fromMs: 10, detection: strict },
    ]);
  });

  it('holds at most 32 changes', () => {
    let long: SettingsTimeline = [];
    for (let change = 0; change < 100; change++)
      long = withSettings(long, change % 2 === 0 ? strict : lax, change);
    expect(long).toHaveLength(32);
    expect(detectionAt(long, 0)).toEqual(long[0]!.detection);
  });
});
