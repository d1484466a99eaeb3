import type { TopicOverrides } from '../../infra/kafka/topics.ts';
import { topics } from '../../services/shared/kafka/topics.ts';
import { maxLineBytes } from './readLines.ts';

const mebibyte = 1024 * 1024;
/** A record is a line of a file with its key and headers. */
const maxRecordBytes = maxLineBytes + mebibyte;
const inOrder = { partitions: 1, maxMessageBytes: maxRecordBytes };

/**
 * How the topics of a replay differ from others. Predictions and feedback have one partition each,
 * so that the topic keeps the order of the file; every line fits, and so does its dead letter.
 */
export const replayTopics: TopicOverrides = {
  [topics.predictions]: inOrder,
  [topics.feedback]: inOrder,
  [topics.deadLetters]: { maxMessageBytes: maxRecordBytes + mebibyte },
};
