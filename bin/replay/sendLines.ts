import { type KafkaProducer, sendRecords } from '../../services/shared/kafka/kafka.ts';
import { interleave } from './interleave.ts';
import type { ReplayLine } from './replayLine.ts';

/** The lines of a file in the order in which they are to be sent, and where they go. */
export interface LineSource {
  lines: AsyncIterable<ReplayLine[]>;
  topic: string;
}

export interface SendOptions {
  producer: KafkaProducer;
  predictions: LineSource;
  feedback?: LineSource;
  signal: AbortSignal;
  onSent: (sent: SentLines) => void;
}

export interface SentLines {
  predictions: number;
  feedback: number;
}

/**
 * Sends the lines unchanged. The next ones of a file are read when Kafka has acknowledged those
 * before.
 */
export async function sendLines(options: SendOptions): Promise<SentLines> {
  const { producer, predictions, feedback, signal, onSent } = options;
  const sent: SentLines = { predictions: 0, feedback: 0 };
  for await (const { source, lines } of interleave(
    predictions.lines,
    feedback?.lines ?? noLines(),
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

async function* noLines(): AsyncGenerator<ReplayLine[]> {}
