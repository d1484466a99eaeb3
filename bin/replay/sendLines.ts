import { type KafkaProducer, sendRecords } from '../../services/shared/kafka/kafka.ts';
import { interleave } from './interleave.ts';
import { readLines } from './readLines.ts';
import { type ReplayLine, replayLine } from './replayLine.ts';

export interface SendOptions {
  producer: KafkaProducer;
  predictions: { file: string; topic: string };
  feedback?: { file: string; topic: string };
  signal: AbortSignal;
  onSent: (sent: SentLines) => void;
}

export interface SentLines {
  predictions: number;
  feedback: number;
}

/**
 * Sends the lines of the files unchanged. The next block of a file is read when Kafka has
 * acknowledged the one before.
 */
export async function sendLines(options: SendOptions): Promise<SentLines> {
  const { producer, predictions, feedback, signal, onSent } = options;
  const sent: SentLines = { predictions: 0, feedback: 0 };
  for await (const { source, lines } of interleave(
    replayLines(predictions.file),
    feedback ? replayLines(feedback.file) : noLines(),
  )) {
    signal.throwIfAborted();
    const { topic } = source === 'predictions' ? predictions : feedback!;
    await sendRecords(
      producer,
      lines.map(({ key, value }) => ({
        topic,
        key,
        value,
        headers: { 'content-type': 'application/json' },
      })),
    );
    sent[source] += lines.length;
    onSent(sent);
  }
  return sent;
}

async function* replayLines(file: string): AsyncGenerator<ReplayLine[]> {
  for await (const lines of readLines(file)) yield lines.map(replayLine);
}

async function* noLines(): AsyncGenerator<ReplayLine[]> {}
