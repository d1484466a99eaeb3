import type { DatasetRow } from '../../../services/retrainer/dataset/dataset.ts';
import type { OutputMeaning } from '../../../services/shared/output/outputMeaning.ts';

export const startMs = Date.UTC(2026, 0, 1);
export const minuteMs = 60_000;

/** Rows a minute apart with a feature that varies, a constant one, and two classes. */
export function datasetRows(
  count: number,
  change: (row: DatasetRow, index: number) => Partial<DatasetRow> = () => ({}),
): DatasetRow[] {
  return Array.from({ length: count }, (_, index) => {
    const row: DatasetRow = {
      id: `p${index}`,
      eventTimeMs: startMs + index * minuteMs,
      version: '1',
      prediction: 'no',
      predictionValue: null,
      score: null,
      label: index % 3 === 0 ? 'yes' : 'no',
      labelValue: null,
      weight: 1,
      segments: {},
      features: { price: index % 10, city: index % 2 ? 'Rome' : 'Oslo', currency: 'EUR' },
    };
    return { ...row, ...change(row, index) };
  });
}

/** Two classes, with scores that are probabilities of yes. */
export const binaryMeaning: OutputMeaning = {
  task: 'binary',
  positiveLabel: 'yes',
  predictionIs: 'class',
  classes: [
    { name: 'no', spellings: ['no'] },
    { name: 'yes', spellings: ['yes', 'true'] },
  ],
  spelling: { caseMatters: false, truthWords: {} },
  openLabels: false,
  openPredictions: false,
  comparable: true,
  scoreIs: 'class',
  scoreOf: 'yes',
  scoresAreProbabilities: true,
  threshold: null,
  evidence: [],
  disagreement: null,
};
