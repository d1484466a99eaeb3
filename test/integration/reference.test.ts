import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Prediction, predictionDefaults } from '../../services/shared/contracts.ts';
import { driftloop } from '../commands.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';
import { seededRandom } from '../unit/shared/profile/distributions.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);

describe('driftloop reference', () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await freshInstallation();
  });
  afterAll(() => installation[Symbol.asyncDispose]());

  const upload = (lines: string[], ...names: [string, string]) => {
    const file = join(installation.folder, 'reference.jsonl');
    writeFileSync(file, lines.join('\n'));
    return driftloop(installation.variables, 'reference', ...names, file);
  };

  it('makes the detector compare a version with the uploaded data, from the first window of the version on', async () => {
    const random = seededRandom(1);
    const topic = `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}predictions`;
    const encode = await installation.schemas.encoder<Prediction>('Prediction', topic);
    const messages = Array.from({ length: 2000 }, (_, index) => {
      const prediction = {
        ...predictionDefaults,
        id: `p${index}`,
        model: 'm',
        version: '1',
        time: startMs + (index * hourMs) / 200,
        prediction: 'yes',
      };
      const features = { amount: random() + 0.3, city: random() < 0.5 ? 'Rome' : 'Oslo' };
      return { key: prediction.id, value: encode({ ...prediction, features }) };
    });
    await installation.producer.send({ topic, messages });
    await Promise.all(
      (['profiler', 'detector'] as const).map(service => installation.startService(service)),
    );
    await installation.untilQuiet('profiler', 'detector');

    const reference = Array.from({ length: 3000 }, () =>
      JSON.stringify({ features: { amount: random(), city: random() < 0.5 ? 'Rome' : 'Oslo' } }),
    );
    const { exitCode, output, errors } = await upload(reference, 'm', '1');
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect(output).toMatch(/^reference [0-9a-f]{64} of m 1: 3000 records in 10 parts\n$/);
    await installation.untilQuiet('profiler', 'detector');
    const events = await installation.clickhouse.select(
      'SELECT cause, feature, reference, toUnixTimestamp64Milli(window_start) AS start FROM drift_events FINAL',
    );
    expect(events).toEqual([
      { cause: 'data_drift', feature: 'amount', reference: 'upload', start: startMs },
    ]);
  });

  it('names a record that cannot be used, and uploads nothing', async () => {
    const broken = await upload(['{"features":{"a":1}}', '{"features":{"a":["x"]}}'], 'other', '1');
    expect(broken.exitCode).toBe(1);
    expect(broken.errors).toMatch(
      /reference.jsonl: record 2: features.a.0: expected a number, got "x"\n$/,
    );
    expect((await upload(['{'], 'other', '1')).errors).toMatch(/record 1: not JSON/);
    expect((await upload([''], 'other', '1')).errors).toMatch(/has no records/);
    expect(
      await installation.clickhouse.select(
        "SELECT count() AS rows FROM reference_profiles WHERE model = 'other'",
      ),
    ).toEqual([{ rows: 0 }]);
  });
});
