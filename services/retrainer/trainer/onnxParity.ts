import { onnxFile } from './onnxContract.ts';
import { predictionsFile, type RowOutput } from './trainerContract.ts';

/** ONNX mostly computes in single precision, so a value may fall to the other side of a threshold. */
const maxDifferentShare = 0.01;
const maxProbabilityDifference = 0.01;
const maxRelativeDifference = 0.001;

/**
 * Says in one sentence that a model answers otherwise than its trainer says, or returns null if it
 * answers alike: on all but one in a hundred of the rows that the trainer gave outputs for.
 */
export function parityMistake(
  given: ReadonlyMap<number, RowOutput>,
  computed: ReadonlyMap<number, RowOutput>,
): string | null {
  const different = [...given].filter(([row, output]) => !isAlike(output, computed.get(row)));
  if (different.length <= maxDifferentShare * given.size) return null;
  const [row, output] = different[0]!;
  return (
    `${onnxFile} answers otherwise than ${predictionsFile} to ${different.length} of ${given.size} ` +
    `rows, the first of them row ${row}: ${shown(computed.get(row))} instead of ${shown(output)}.`
  );
}

function isAlike(given: RowOutput, computed: RowOutput | undefined): boolean {
  if (!computed) return false;
  const [one, other] = [given.probabilities, computed.probabilities];
  if (one && other)
    return Object.entries(one).every(
      ([name, share]) => Math.abs(share - (other[name] ?? 0)) <= maxProbabilityDifference,
    );
  if (given.predictionValue === null || computed.predictionValue === null)
    return given.prediction === computed.prediction;
  const size = Math.max(1, Math.abs(given.predictionValue));
  return Math.abs(given.predictionValue - computed.predictionValue) <= maxRelativeDifference * size;
}

function shown(output: RowOutput | undefined): string {
  const { prediction, probabilities } = output ?? {};
  return JSON.stringify({ prediction, ...(probabilities && { probabilities }) });
}
