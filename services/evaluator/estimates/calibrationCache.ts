import { meaningKey } from '../../shared/output/outputMeaning.ts';
import { versionKey } from '../../shared/versionKey.ts';
import { type CalibrationPeriod, sourceOfPeriod } from './quality/calibrationPeriod.ts';
import type { EstimatedVersion } from './quality/windowEstimates.ts';

/** Memory for the calibrations of one task. */
export const maxCalibrationBytes = 64 * 1024 * 1024;

interface Entry<Calibration> {
  /** Identifies the labels from which the calibration was made. */
  source: string;
  calibration: Calibration | null;
}

/**
 * Keeps calibrations by version and step.
 *
 * Invariant: entries are in the order of their last use, and take at most `maxCalibrationBytes`
 * together. The least recently used entries are evicted, and made again when they are needed.
 */
export class CalibrationCache<Calibration extends { bytes: number }> {
  readonly #entries = new Map<string, Entry<Calibration>>();
  readonly #onEvicted: () => void;

  constructor(onEvicted: () => void) {
    this.#onEvicted = onEvicted;
  }

  get size(): number {
    return this.#entries.size;
  }

  clear(): void {
    this.#entries.clear();
  }

  /**
   * Returns the calibration of a period. It is made if it is not known, or was made from other
   * labels. Null if there is none.
   */
  async of(
    version: EstimatedVersion,
    period: CalibrationPeriod,
    make: () => Promise<Calibration | null>,
  ): Promise<Calibration | null> {
    if (period.step === 0) return null;
    const key = `${versionKey(version)} ${period.step}`;
    const source = `${meaningKey(version.meaning)} ${sourceOfPeriod(period)}`;
    const found = this.#entries.get(key);
    const entry = found?.source === source ? found : { source, calibration: await make() };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#evict();
    return entry.calibration;
  }

  #evict(): void {
    const bytesOf = ({ calibration }: Entry<Calibration>) => calibration?.bytes ?? 0;
    let bytes = [...this.#entries.values()].reduce((sum, entry) => sum + bytesOf(entry), 0);
    for (const [key, entry] of this.#entries) {
      if (bytes <= maxCalibrationBytes) return;
      this.#entries.delete(key);
      bytes -= bytesOf(entry);
      this.#onEvicted();
    }
  }
}
