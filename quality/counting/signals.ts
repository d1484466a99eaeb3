import { UserError } from '../../services/shared/userError.ts';
import type { WindowedSegment, WindowedStream } from './windowCounter.ts';

export const everySignal = ['features', 'labels', 'error'] as const;
/**
 * What the detector may see. features: inputs and outputs; labels: how often each label occurs;
 * error: how wrong the predictions were.
 */
export type Signal = (typeof everySignal)[number];

/**
 * Reads the option --signals.
 * @throws UserError
 * @example parseSignals('features,error') // ['features', 'error']
 */
export function parseSignals(text: string): Signal[] {
  const names = text.split(',').map(name => name.trim());
  const unknown = names.find(name => !(everySignal as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new UserError(
      `--signals: ${JSON.stringify(unknown)} is not a signal; expected some of ${everySignal.join(',')}`,
    );
  }
  return names as Signal[];
}

/** Returns the stream as it would be if only these signals had been logged. */
export function withSignals(stream: WindowedStream, signals: readonly Signal[]): WindowedStream {
  return {
    ...stream,
    ...segmentWithSignals(stream, signals),
    segments: new Map(
      [...stream.segments].map(([name, segment]) => [name, segmentWithSignals(segment, signals)]),
    ),
  };
}

function segmentWithSignals(stream: WindowedSegment, signals: readonly Signal[]): WindowedSegment {
  const [features, labels, error] = everySignal.map(signal => signals.includes(signal));
  return {
    windows: features
      ? stream.windows
      : stream.windows.map(window => ({ ...window, variables: new Map(), sample: null })),
    labelRevisions:
      labels || error
        ? stream.labelRevisions.map(({ performance, ...revision }) => ({
            ...revision,
            performance: {
              ...performance,
              ...(!labels && { labelCounts: new Map() }),
              ...(!(labels && error) && { predictedCounts: new Map(), rightCounts: new Map() }),
              // A constant loss tells the detector nothing.
              ...(!error && { lossSum: 0, lossSquareSum: 0 }),
            },
          }))
        : [],
  };
}
