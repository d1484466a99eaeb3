import { describe, expect, it } from 'vitest';
import {
  changedNotices,
  type Notice,
  type StatedNotice,
} from '../../../services/shared/service/notice.ts';

const family = { model: 'churn', version: '1', family: 'output', progress: 100 };

function notice(changes: Partial<Notice> = {}): Notice {
  return {
    code: 'score-disagrees-with-predictions',
    subject: '',
    sinceMs: 0,
    message: 'Scores are high where the prediction is stays.',
    evidence: '900 of 1,000 records.',
    advice: 'Set output.scoreOf.',
    ...changes,
  };
}

function stored(changes: Partial<StatedNotice> = {}): StatedNotice {
  return { ...notice(), ...family, status: 'open', ...changes };
}

describe('changedNotices', () => {
  it('opens a notice that was never stated', () => {
    expect(changedNotices([], [notice()], family)).toEqual([stored()]);
  });

  it('closes a notice that is not stated any more, and opens it again', () => {
    const progress = 200;
    const [closed, ...others] = changedNotices([stored()], [], { ...family, progress });
    expect(closed).toEqual(stored({ status: 'closed', progress }));
    expect(others).toEqual([]);
    expect(changedNotices([closed!], [], { ...family, progress })).toEqual([]);
    expect(changedNotices([closed!], [notice()], { ...family, progress })).toEqual([
      stored({ progress }),
    ]);
  });

  it('tells a notice again when its message changes, but not when its numbers do', () => {
    const evidence = notice({ evidence: '950 of 1,050 records.' });
    expect(changedNotices([stored()], [evidence], family)).toEqual([]);
    const message = notice({ message: 'Scores are high where the prediction is leaves.' });
    expect(changedNotices([stored()], [message], family)).toEqual([stored(message)]);
  });

  it('tells notices of one code apart by their subjects', () => {
    const age = notice({ code: 'numbers-written-as-text', subject: 'age' });
    const income = { ...age, subject: 'income' };
    const changed = changedNotices([stored(age)], [income], family);
    expect(changed.map(({ subject, status }) => [subject, status])).toEqual([
      ['income', 'open'],
      ['age', 'closed'],
    ]);
  });

  it('changes nothing that was written by a replica that had seen more', () => {
    expect(changedNotices([stored({ progress: 101 })], [], family)).toEqual([]);
  });
});
