import type { DriftEventContent } from '../../../services/detector/events/driftEpisode.ts';
import { hourMs } from './syntheticStream.ts';

export function driftEvent(id: string, fields: Partial<DriftEventContent> = {}): DriftEventContent {
  return {
    id,
    status: 'open',
    model: 'm',
    version: '1',
    segment: '',
    feature: 'x',
    cause: 'data_drift',
    severity: 'warning',
    windowStart: 10 * hourMs,
    windowEnd: 11 * hourMs,
    metric: 'likelihood_ratio',
    value: 100,
    threshold: 40,
    pValue: 1e-12,
    records: 200,
    scale: 1,
    evidenceWindowStart: 10 * hourMs,
    reference: 'bootstrap',
    contributions: { x: 0.75, z: 0.25 },
    predictionContributions: { x: 0.05, z: -0.01 },
    changedValues: null,
    explanation: 'x changed.',
    detectedAtEventTime: 11 * hourMs,
    persistingSince: null,
    endReason: null,
    endedBy: null,
    endedAt: null,
    standing: null,
    ...fields,
  };
}
