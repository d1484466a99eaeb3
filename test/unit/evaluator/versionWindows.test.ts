import { describe, expect, it } from 'vitest';
import {
  addWindows,
  joinedWindows,
  portionsOfWindows,
  type VersionWindows,
} from '../../../services/evaluator/windows/versionWindows.ts';

describe('windows of versions', () => {
  it('are collected by version without duplicates', () => {
    const windows = new Map<string, VersionWindows>();
    addWindows(windows, { model: 'm', version: '1' }, [0, 10]);
    addWindows(windows, { model: 'm', version: '2' }, [10]);
    addWindows(windows, { model: 'm', version: '1' }, [10, 20]);
    expect([...windows.values()]).toEqual([
      { model: 'm', version: '1', startsMs: new Set([0, 10, 20]) },
      { model: 'm', version: '2', startsMs: new Set([10]) },
    ]);
  });

  it('are joined if they follow each other', () => {
    expect(joinedWindows([30, 0, 10], 10)).toEqual([
      { startMs: 0, endMs: 20 },
      { startMs: 30, endMs: 40 },
    ]);
    expect(joinedWindows([], 10)).toEqual([]);
  });

  it('are split into bounded portions that hold each of them once', () => {
    const versions = [
      { model: 'm', version: '1', startsMs: new Set([5, 1, 2, 4, 3]) },
      { model: 'm', version: '2', startsMs: new Set([1, 2]) },
    ];
    const portions = [...portionsOfWindows(versions, 3)].map(portion =>
      portion.map(({ version, startsMs }) => [version, ...startsMs]),
    );
    expect(portions).toEqual([
      [['1', 1, 2, 3]],
      [
        ['1', 4, 5],
        ['2', 1],
      ],
      [['2', 2]],
    ]);
    expect([...portionsOfWindows([], 3)]).toEqual([]);
  });
});
