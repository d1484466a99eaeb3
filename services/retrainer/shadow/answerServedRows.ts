import type { Logger } from 'pino';
import { loadModel } from '../../shared/model/modelArtifact.ts';
import { UserError } from '../../shared/userError.ts';
import type { TimeRange } from '../store/labelledRowQueries.ts';
import type { ShadowQueries, VersionPair } from '../store/shadowQueries.ts';
import type { VersionFacts } from '../versions/publishedVersion.ts';

/**
 * Computes what a version of the built-in trainer would have answered to rows that another one has
 * served, from the logged features, where the service that serves has not logged it. A model of
 * another trainer can only be asked by that service.
 * @param rowsAtMost as many at most
 */
export async function answerServedRows(
  pair: VersionPair,
  range: TimeRange,
  rowsAtMost: number,
  { artifactUri, artifactChecksum }: VersionFacts,
  { shadow, log }: { shadow: ShadowQueries; log: Logger },
): Promise<void> {
  const rows = await shadow.selectUnanswered(pair, range, rowsAtMost);
  if (rows.length === 0) return;
  try {
    const model = await loadModel(artifactUri, artifactChecksum);
    const outputs = await model.predict(rows.map(({ features }) => features));
    model.dispose();
    await shadow.insertComputed(
      pair,
      rows.map(({ id, eventTimeMs }, index) => {
        const { prediction, probabilities = {} } = outputs[index]!;
        return { id, eventTimeMs, prediction, probabilities };
      }),
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    log.warn({ model: pair.model, version: pair.shadow, reason: error.message }, 'not comparable');
  }
}
