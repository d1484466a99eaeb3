import { versionKey } from '../../shared/versionKey.ts';
import { type CalibrationPeriod, sourceOfPeriod } from './calibrationPeriod.ts';
import type { EstimatedVersion } from './estimateStore.ts';

/** Calibrations by version and step, bounded by their bytes; the least used leave. */
export function calibrationCache<Calibration extends { bytes: number }>(
  mostBytes: number,
  onEvicted: () => void,
) {
  /** In the order of their last use. */
  const known = new Map<string, { source: string; calibration: Calibration | null }>();

  function forgetLeastUsed(): void {
    let bytes = [...known.values()].reduce(
      (sum, { calibration }) => sum + (calibration?.bytes ?? 0),
      0,
    );
    for (const [key, { calibration }] of known) {
      if (bytes <= mostBytes) return;
      known.delete(key);
      bytes -= calibration?.bytes ?? 0;
      onEvicted();
    }
  }

  return {
    /**
     * That of a period, made where it is not known or from other labels; null where there is none.
     */
    async of(
      version: EstimatedVersion,
      period: CalibrationPeriod,
      make: () => Promise<Calibration | null>,
    ): Promise<Calibration | null> {
      if (period.step === 0) return null;
      const key = `${versionKey(version)} ${period.step}`;
      const source = `${version.positiveLabel} ${sourceOfPeriod(period)}`;
      const found = known.get(key);
      const entry = found?.source === source ? found : { source, calibration: await make() };
      known.delete(key);
      known.set(key, entry);
      forgetLeastUsed();
      return entry.calibration;
    },
    clear: () => known.clear(),
    size: () => known.size,
  };
}
