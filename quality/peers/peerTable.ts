import { formatTable } from '../../bin/terminal/formatTable.ts';
import { type Cell, meansByMode } from '../report/streamReport.ts';

/** Cells by the name of the detector. All detectors have the same cells in the same order. */
export type CellsByDetector = ReadonlyMap<string, readonly Cell[]>;

/** Shows F1 and false alarms per 1000 rows of the detectors side by side. */
export function peerTable(detectors: CellsByDetector): string {
  const [cells] = detectors.values();
  return formatTable(
    cells!.map(({ mode, dataset, type }, index) => ({
      mode,
      'data set': dataset,
      drift: type,
      ...columns(detectors, 'F1', cells => cells[index]!.score.f1.toFixed(3)),
      ...columns(detectors, 'false', cells => cells[index]!.score.falseAlarms.toFixed(4)),
    })),
  );
}

function columns(
  detectors: CellsByDetector,
  title: string,
  of: (cells: readonly Cell[]) => string,
) {
  return Object.fromEntries([...detectors].map(([name, cells]) => [`${title} ${name}`, of(cells)]));
}

/** Shows the means over the cells of each mode, and the numbers of alarms. */
export function detectorTable(detectors: CellsByDetector): string {
  return formatTable(
    [...detectors].flatMap(([detector, cells]) =>
      [...meansByMode(cells)].map(([mode, score]) => ({
        mode,
        detector,
        F1: score.f1.toFixed(3),
        'F1 by drift': score.f1Episode.toFixed(3),
        precision: score.precision.toFixed(3),
        'episode recall': score.episodeRecall.toFixed(3),
        'false per 1000': score.falseAlarms.toFixed(4),
        'delay in rows': score.meanDelay === null ? '-' : score.meanDelay.toFixed(0),
        'true alarms': score.truePositives,
        'false alarms': score.falsePositives,
      })),
    ),
  );
}

/** Counts for each other detector the cells in which the F1 of the first one is higher. */
export function cellsAhead(detectors: CellsByDetector): Map<string, number> {
  const [[, own], ...peers] = [...detectors] as [
    [string, readonly Cell[]],
    ...[string, readonly Cell[]][],
  ];
  return new Map(
    peers.map(([name, cells]) => [
      name,
      cells.filter(({ score }, index) => own[index]!.score.f1 > score.f1).length,
    ]),
  );
}
