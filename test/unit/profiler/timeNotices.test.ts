import { expect, it } from 'vitest';
import { timeNotices } from '../../../services/profiler/counting/timeNotices.ts';
import { newVersionState } from '../../../services/profiler/counting/versionState.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';

const settings = parseSettings('', 'test').of('m');

function noticesOf(predictions: number, firstEventTimeMs: number, maxEventTimeMs: number) {
  const state = newVersionState('m', '1', settings);
  return timeNotices({ ...state, predictions, firstEventTimeMs, maxEventTimeMs });
}

it('says of a thousand predictions with one time that their time stands still', () => {
  expect(noticesOf(1_000, 5, 5)).toMatchObject([
    { code: 'time-stands-still', evidence: expect.stringContaining('1,000 predictions') },
  ]);
  expect(noticesOf(1_000, 5, 6)).toEqual([]);
});

it('says nothing of a batch that is smaller', () => {
  expect(noticesOf(999, 5, 5)).toBeNull();
});
