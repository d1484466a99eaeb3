import type { GeneratedStream } from '../streams/generatedStream.ts';
import type { Track } from '../streams/tracks.ts';

/** Which predictions of a stream were wrong, row by row. */
export interface ErrorStream {
  /** 1 is wrong. */
  errors: number[];
  /** Where a signal at the end of each row lies among the rows of the truth. */
  positions: number[];
}

/** The track as it is, and the errors of its streams, in their order, which are noted while the streams are read. */
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
