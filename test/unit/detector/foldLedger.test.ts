import { describe, expect, it } from 'vitest';
import {
  advanced,
  type FoldLedger,
  freeSlot,
  nothingAnnounced,
  rewoundLedger,
  withCheckpoint,
} from '../../../services/detector/checkpoints/foldLedger.ts';

const empty: FoldLedger = {
  windowSizeMs: 1,
  position: nothingAnnounced,
  algorithm: '',
  referenceId: null,
  checkpoints: [],
  settings: [],
};

/** Returns the ledger after a checkpoint every 64 windows. */
function ledgerAfter(windows: number): FoldLedger {
  let ledger = empty;
  for (let ordinal = 64; ordinal <= windows; ordinal += 64) {
    ledger = withCheckpoint(ledger, {
      windowStartMs: ordinal,
      ordinal,
      slot: freeSlot(ledger),
      digest: '',
    });
  }
  return ledger;
}

describe('the fold ledger', () => {
  it.each([64, 1_000, 100_000, 1_000_000])(
    'lists few checkpoints after %i windows, with smaller distances between newer ones',
    windows => {
      const { checkpoints } = ledgerAfter(windows);
      expect(checkpoints.length).toBeLessThanOrEqual(40);
      expect(new Set(checkpoints.map(({ slot }) => slot)).size).toBe(checkpoints.length);
      const newest = checkpoints.at(-1)!.ordinal;
      for (const [index, { ordinal }] of checkpoints.entries()) {
        const earlier = checkpoints[index - 1]?.ordinal ?? 0;
        expect(newest - earlier).toBeLessThanOrEqual(2 * (newest - ordinal) + 64);
      }
    },
  );

  it('drops the checkpoints after a changed window and uses their slots again', () => {
    const ledger = rewoundLedger(ledgerAfter(640), 500);
    expect(ledger.checkpoints.at(-1)!.ordinal).toBe(448);
    expect(rewoundLedger(ledger, 500)).toBe(ledger);
    expect(rewoundLedger(ledger, Number.NEGATIVE_INFINITY).checkpoints).toEqual([]);
    expect(ledger.checkpoints.map(({ slot }) => slot)).not.toContain(freeSlot(ledger));
  });

  it('has a position that increases with every announcement, even if clocks differ', () => {
    const first = advanced(nothingAnnounced, 1_000, 7);
    expect(advanced(first, 900, 8)).toEqual({ announcedAtMs: 1_000, offset: 8 });
    // The topic was created again.
    expect(advanced(first, 2_000, 0)).toEqual({ announcedAtMs: 2_000, offset: 0 });
  });
});
