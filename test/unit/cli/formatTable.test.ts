import { describe, expect, it } from 'vitest';
import { formatTable } from '../../../bin/terminal/formatTable.ts';

describe('formatTable', () => {
  it('aligns text to the left and numbers to the right, and shows a missing value as -', () => {
    expect(
      formatTable([
        { model: 'churn', lag: 12, note: null },
        { model: 'p', lag: 3, note: 'slow' },
      ]),
    ).toBe(['model  lag  note', 'churn   12  -', 'p        3  slow'].join('\n'));
  });
});
