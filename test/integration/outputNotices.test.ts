import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTopic } from '../../infra/kafka/readTopic.ts';
import type { Feedback } from '../../services/shared/contracts.ts';
import type { KafkaRecord } from '../../services/shared/kafka/kafka.ts';
import { topics } from '../../services/shared/kafka/topics.ts';
import { outputComparison } from '../../services/shared/output/comparedOutput.ts';
import { storedMeanings } from '../../services/shared/output/meaningStore.ts';
import { decodeRecord } from '../../services/shared/records/decodeRecord.ts';
import { versionKey } from '../../services/shared/versionKey.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);

interface Logged {
  prediction: string | number | boolean;
  label: Feedback['label'];
  score?: number;
  probabilities?: Record<string, number>;
}

const records = (count: number, make: (index: number) => Logged) =>
  Array.from({ length: count }, (_, index) => make(index));

describe('outputs of a version', () => {
  let folder: string;
  let installation: Installation;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'driftloop-outputs-'));
    const config = join(folder, 'driftloop.yaml');
    await writeFile(config, 'models:\n  configured: { output: { scoreOf: stays } }\n');
    installation = await freshInstallation({ DRIFTLOOP_CONFIG: config });
    await Promise.all([
      installation.startService('profiler'),
      installation.startService('evaluator'),
    ]);
  });
  afterAll(async () => {
    await installation[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const send = (topic: string, values: readonly { id: string }[]) =>
    installation.producer.send({
      topic: `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}${topic}`,
      messages: values.map(value => ({ key: value.id, value: JSON.stringify(value) })),
    });
  const quiet = () => installation.untilQuiet('profiler', 'evaluator');
  const sendPredictions = (model: string, logged: readonly Logged[]) =>
    send(
      'predictions',
      logged.map(({ prediction, score, probabilities }, index) => ({
        ...{ id: `${model}${index}`, model, version: '1', time: startMs + index, features: {} },
        ...{ prediction, score, probabilities },
      })),
    );
  const sendLabels = (model: string, labels: readonly Feedback['label'][], hours = 1) =>
    send(
      'feedback',
      labels.map((label, index) => ({
        ...{ id: `${model}${index}`, label, time: startMs + hours * hourMs, model },
      })),
    );
  const log = async (model: string, logged: readonly Logged[]) => {
    await sendPredictions(model, logged);
    await sendLabels(
      model,
      logged.map(({ label }) => label),
    );
    await quiet();
  };
  const notices = (model: string) =>
    installation.clickhouse.select<Record<string, string>>(
      `SELECT code, toString(status) AS status, message, evidence FROM notices FINAL
       WHERE model = {model:String} ORDER BY code`,
      { model },
    );
  const performance = async (model: string) =>
    (
      await installation.clickhouse.select<Record<string, unknown>>(
        "SELECT * FROM performance_windows FINAL WHERE model = {model:String} AND segment = ''",
        { model },
      )
    )[0]!;

  it('say which labels are set apart, until they are mended', async () => {
    const logged = records(60, index => ({
      prediction: index + 0.5,
      label: index === 7 ? 'N/A' : index,
    }));
    await log('amounts', logged);
    expect(await performance('amounts')).toMatchObject({
      task: 'regression',
      labelled: 59,
      set_apart: 1,
      set_apart_examples: ['label "N/A", prediction "7.5"'],
      mae: 0.5,
    });
    expect(await notices('amounts')).toMatchObject([
      {
        code: 'labels-set-apart',
        status: 'open',
        message: 'Some labels or predictions are not numbers, and are set apart.',
        // As many as had come when the notice was opened.
        evidence: expect.stringMatching(
          /^1 of \d+ labelled predictions in the newest windows, such as label "N\/A", prediction "7.5"\.$/,
        ),
      },
    ]);
    await sendLabels(
      'amounts',
      logged.map((_, index) => index),
      2,
    );
    await quiet();
    expect(await performance('amounts')).toMatchObject({ labelled: 60, set_apart: 0 });
    expect(await notices('amounts')).toMatchObject([
      { code: 'labels-set-apart', status: 'closed' },
    ]);
  });

  it('have no figures if predictions and labels have no class in common', async () => {
    await log(
      'disjoint',
      records(60, index => ({
        prediction: index % 3 === 0 ? 'approve' : 'decline',
        label: index % 2,
      })),
    );
    expect(await performance('disjoint')).toMatchObject({
      ...{ task: 'binary', labelled: 60, set_apart: 0, errors: null, accuracy: null, mcc: null },
      ...{ precision: null, recall: null, f1: null, loss_sum: 0, label_counts: { 0: 30, 1: 30 } },
    });
    expect(await notices('disjoint')).toMatchObject([
      {
        code: 'classes-have-nothing-in-common',
        status: 'open',
        evidence: expect.stringContaining('"approve"'),
      },
    ]);
  });

  it('say that predictions are probabilities', async () => {
    await log(
      'probabilities',
      records(60, index => ({ prediction: (index % 10) / 10 + 0.03, label: index % 10 >= 5 })),
    );
    expect(await performance('probabilities')).toMatchObject({ accuracy: 1, auc: 1 });
    expect(await notices('probabilities')).toMatchObject([
      {
        code: 'prediction-is-a-probability',
        message:
          'Predictions are probabilities and no classes of the labels, and are read as class "true" from 0.5 on.',
      },
    ]);
  });

  it('say that scores disagree with predictions', async () => {
    await log(
      'configured',
      records(60, index => ({
        prediction: index % 2 === 0 ? 'leaves' : 'stays',
        label: index % 3 === 0 ? 'leaves' : 'stays',
        score: index % 2 === 0 ? 0.9 : 0.2,
      })),
    );
    expect(await notices('configured')).toMatchObject([
      {
        code: 'score-disagrees-with-predictions',
        message:
          'The settings say that score is of "stays", but predictions say "leaves" at high scores.',
      },
    ]);
  });

  it('say that no label matches a prediction, until one does', async () => {
    const logged = records(120, index => ({ prediction: 'up', label: index % 2 ? 'up' : 'down' }));
    await sendPredictions('unmatched', logged);
    await quiet();
    const labels = logged.map(({ label }, index) => ({
      ...{ id: `order-${index}`, label, time: startMs + hourMs, model: 'unmatched' },
    }));
    await send('feedback', labels);
    await quiet();
    expect(await notices('unmatched')).toMatchObject([
      {
        code: 'labels-never-match',
        status: 'open',
        evidence:
          'The version has 120 predictions, with ids such as "unmatched0". At least 120 labels wait, for ids such as "order-0".',
      },
    ]);
    await sendLabels('unmatched', ['up']);
    await quiet();
    expect(await notices('unmatched')).toMatchObject([{ status: 'closed' }]);
  });

  it('have no log-loss where probabilities are of no class that is predicted or a label', async () => {
    const classes = ['cat', 'dog', 'bird'];
    const logged = records(60, index => ({
      prediction: classes[index % 3]!,
      label: classes[(index + (index % 5 ? 0 : 1)) % 3]!,
    }));
    for (const [model, names] of Object.entries({
      numbered: ['0', '1', '2'],
      cased: ['Cat', 'DOG', 'bird'],
    })) {
      await sendPredictions(
        model,
        logged.map((record, index) => ({
          ...record,
          probabilities: Object.fromEntries(
            names.map((name, place) => [name, place === index % 3 ? 0.8 : 0.1]),
          ),
        })),
      );
      await sendLabels(
        model,
        logged.map(({ label }) => label),
      );
    }
    await quiet();
    expect(await performance('numbered')).toMatchObject({
      log_loss: null,
      brier: null,
      errors: 12,
    });
    const terms = [-Math.log(0.8), -Math.log(0.1)];
    expect(await performance('cased')).toMatchObject({
      log_loss: expect.closeTo((48 * terms[0]! + 12 * terms[1]!) / 60, 9),
      brier: expect.closeTo((48 * 0.06 + 12 * 1.46) / 60, 9),
    });
  });

  it('are decided from the first records, and from a rare label that comes later', async () => {
    const rare = records(1_500, index => ({
      prediction: 'legit',
      label: index >= 1_100 && index % 10 === 0 ? 'fraud' : 'legit',
      score: index >= 1_100 && index % 10 === 0 ? 0.4 : 0.1,
    }));
    await log('rare', rare);
    const version = { model: 'rare', version: '1' };
    const stored = await storedMeanings(installation.clickhouse, [version]);
    expect(stored.get(versionKey(version))).toMatchObject({
      ...{ records: 1_400, fromMs: startMs, untilMs: null },
      meaning: { task: 'binary', positiveLabel: 'fraud', scoreOf: 'fraud' },
    });
    expect(await performance('rare')).toMatchObject({ labelled: 1_500, errors: 40, auc: 1 });
  });

  it('are published with what was decided', async () => {
    await log(
      'published',
      records(60, index => ({
        prediction: index % 2 === 0 ? 'leaves' : 'stays',
        label: index % 3 === 0 ? 'Leaves' : 'stays',
        score: index % 2 === 0 ? 0.9 : 0.2,
      })),
    );
    const { kafka, admin, schemas, environment } = installation;
    const told: KafkaRecord[] = [];
    const topic = environment.DRIFTLOOP_TOPIC_PREFIX + topics.outputMeanings;
    await readTopic(kafka, admin, topic, async some => void told.push(...some));
    const ofModel = told.filter(({ key }) => key?.toString() === 'published:1');
    await schemas.prepare(ofModel);
    const { value } = decodeRecord(ofModel.at(-1)!, 'OutputMeaning', schemas);
    expect(value).toMatchObject({
      ...{ version: '1', task: 'binary', positiveLabel: 'Leaves', scoreOf: 'Leaves' },
      ...{ predictionIs: 'class', classes: { Leaves: ['Leaves', 'leaves'], stays: ['stays'] } },
      ...{ decidedFrom: startMs, decidedUntil: null },
    });
  });

  it.each<[string, string[]]>([
    ['words of truth', ['yes', 'no', 'YES', ' No ', '1.0', '0', 'true', 'F', '-1', 'n/a', '', 'x']],
    [
      'names',
      ['cat', 'Cat ', 'dog', 'ΛΟΓΟΣ', 'λογος', 'su\u0302r', 'sûr', '01', '1', '1.0', 'N/A'],
    ],
    [
      'odd characters',
      [`it's "odd" \\ ,]`, 'ünï→\n\t{x:String}', '\\N', '😀', 'a\u00a0', '-', '0'],
    ],
  ])('are compared by ClickHouse as by the services: %s', async (name, texts) => {
    const often = texts.slice(0, 2);
    const logged = [
      ...records(200, index => ({
        prediction: often[index % 2]!,
        label: often[(index >> 1) % 2]!,
      })),
      ...texts.flatMap(label => texts.map(prediction => ({ label, prediction }))),
    ];
    await log(name, logged);
    const version = { model: name, version: '1' };
    const stored = await storedMeanings(installation.clickhouse, [version]);
    const compare = outputComparison(stored.get(versionKey(version))!.meaning);
    const confusion: Record<string, number> = {};
    for (const { label, prediction } of logged) {
      const compared = compare({
        ...{ label: String(label), labelValue: null },
        ...{ prediction: String(prediction), predictionValue: null },
      });
      if (compared.label === null || compared.prediction === null) continue;
      const cell = `${compared.label}→${compared.prediction}`;
      confusion[cell] = (confusion[cell] ?? 0) + 1;
    }
    expect((await performance(name)).confusion).toEqual(confusion);
  });
});
