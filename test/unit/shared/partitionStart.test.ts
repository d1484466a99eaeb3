import { describe, expect, it } from 'vitest';
import {
  offsetsPerIncarnation,
  partitionStart,
} from '../../../services/shared/service/partitionStart.ts';

const log = { topicId: 'a', low: 0, end: 1_000, committed: 600 };
const stored = { topicId: 'a', position: 600, end: 800 };

describe('partitionStart', () => {
  it('continues at the stored position, or at the committed offset if that is further back', () => {
    expect(partitionStart(log, stored)).toEqual({ base: 0, offset: 600, break: null });
    expect(partitionStart({ ...log, committed: 5_000 }, stored)).toEqual({
      base: 0,
      offset: 600,
      break: null,
    });
    expect(partitionStart({ ...log, committed: null }, stored)).toEqual({
      base: 0,
      offset: 600,
      break: null,
    });
    expect(partitionStart({ ...log, committed: 10, low: 50 }, stored)).toEqual({
      base: 0,
      offset: 50,
      break: null,
    });
  });

  it('begins at the committed offset, or else at the first record, when no position is stored', () => {
    expect(partitionStart({ ...log, committed: null, low: 7 }, null)).toEqual({
      base: 0,
      offset: 7,
      break: null,
    });
    expect(partitionStart(log, null)).toEqual({ base: 0, offset: 600, break: null });
    expect(partitionStart({ ...log, low: 700 }, null)).toMatchObject({
      offset: 700,
      break: { lostRecords: 100 },
    });
  });

  it('reads a recreated topic under new positions, and counts the records of the old one that were never read', () => {
    const start = partitionStart({ ...log, topicId: 'b', low: 5 }, stored);
    expect(start).toEqual({
      base: offsetsPerIncarnation,
      offset: 5,
      break: {
        reason: 'recreated',
        fromPosition: 600,
        toPosition: offsetsPerIncarnation + 5,
        lostRecords: 205,
      },
    });
    const position = offsetsPerIncarnation + 40;
    const third = partitionStart(
      { ...log, topicId: 'c' },
      { topicId: 'b', position, end: position },
    );
    expect(third).toMatchObject({
      base: 2 * offsetsPerIncarnation,
      offset: 0,
      break: { lostRecords: 0 },
    });
  });

  it('treats a topic without an id as the same topic', () => {
    expect(partitionStart({ ...log, topicId: '' }, stored).break).toBeNull();
    expect(partitionStart(log, { ...stored, topicId: '' }).break).toBeNull();
  });

  it('reads the last 100,000 records again under new positions when Kafka has fewer records than were read', () => {
    const shorter = { topicId: 'a', low: 0, end: 500_000, committed: 400_000 };
    const known = { topicId: 'a', position: 600_000, end: 600_000 };
    expect(partitionStart(shorter, known)).toEqual({
      base: offsetsPerIncarnation,
      offset: 300_000,
      break: {
        reason: 'truncated',
        fromPosition: 600_000,
        toPosition: offsetsPerIncarnation + 300_000,
        lostRecords: 0,
      },
    });
    expect(partitionStart({ ...shorter, committed: null }, known).offset).toBe(400_000);
    expect(partitionStart({ ...shorter, low: 350_000 }, known).offset).toBe(350_000);
  });

  it('counts the records that retention deleted before they were read', () => {
    expect(partitionStart({ ...log, low: 900 }, stored)).toEqual({
      base: 0,
      offset: 900,
      break: { reason: 'deleted', fromPosition: 600, toPosition: 900, lostRecords: 300 },
    });
  });
});
