import type { OutputMeaning } from '../../../shared/output/outputMeaning.ts';
import type { TaskDecision } from '../../../shared/task.ts';
import type { VersionName } from '../../../shared/versionKey.ts';
import type { CalibrationPeriod } from './calibrationPeriod.ts';
import type { Estimates } from './estimate.ts';

/** A model version whose windows are to be estimated. */
export interface EstimatedVersion extends VersionName, TaskDecision {
  windowSizeMs: number;
  meaning: OutputMeaning;
}

/** The estimated quality of a window. */
export interface WindowEstimates extends EstimatedVersion {
  startMs: number;
  /** Predictions of the window that have a score, or for a regression a finite number. */
  records: number;
  /** Null if there is too little to estimate from. */
  estimates: Estimates | null;
  period: CalibrationPeriod;
  calibrationRecords: number;
}
