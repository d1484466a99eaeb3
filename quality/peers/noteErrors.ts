import type { GeneratedStream } from '../streams/generatedStream.ts';
import type { Track } from '../streams/tracks.ts';

/** The errors of a stream, row by row. */
export interface ErrorStream {
  /** 1 means that the prediction was wrong. */
  errors: number[];
  /** Position of the end of each row among the rows of the truth. */
  positions: number[];
}

/**
 * Returns a track with the same streams, and the errors of these, which fill in as the streams are
 * read.
 */
export function noteErrors(track: Track): { track: Track; noted: ErrorStream[] } {
  const noted: ErrorStream[] = [];
  function* streams(repeats: number): Generator<GeneratedStream> {
    for (const stream of track.streams(repeats)) {
      const ofStream: ErrorStream = { errors: [], positions: [] };
      noted.push(ofStream);
      yield {
        ...stream,
        *rows() {
          for (const row of stream.rows()) {
            ofStream.errors.push(Number(row.prediction !== row.label));
            ofStream.positions.push(stream.truth.rowAt(row.timeMs));
            yield row;
          }
        },
      };
    }
  }
  return { track: { ...track, streams }, noted };
}
