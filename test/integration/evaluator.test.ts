import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceProcess } from '../../infra/local/processes/serviceProcesses.ts';
import { contractType, wireHeaderBytes } from '../../services/shared/avro/schemaRegistry.ts';
import {
  type Feedback,
  type Prediction,
  predictionDefaults,
  type WindowUpdate,
} from '../../services/shared/contracts.ts';
import { windowStartMs } from '../../services/shared/timeWindow.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);

interface ScikitCase {
  rows: {
    label: string | number;
    prediction: string | number | boolean;
    score?: number;
    probabilities?: Record<string, number> | null;
    quantiles?: Record<string, number>;
    ranking?: string[];
    weight?: number;
    samplingRate?: number;
  }[];
  task: string;
  positiveLabel: string | null;
  quality: Record<string, number | null> & { classes?: Record<string, unknown>[] };
}
const scikit: Record<string, ScikitCase> = JSON.parse(
  readFileSync(new URL('../unit/evaluator/scikit.json', import.meta.url), 'utf8'),
);

interface FairlearnGroups {
  groups: Record<string, Record<string, number>>;
  fairness: Record<string, number>;
}
/** People with the group that they belong to in each segment, and what fairlearn says of them. */
const fairlearn: {
  rows: {
    race: string;
    age: string;
    label: string;
    prediction: string;
    week: number;
    predictedWeek: number;
  }[];
  classes: Record<string, Record<string, FairlearnGroups>>;
  numbers: Record<string, Record<string, number>>;
} = JSON.parse(readFileSync(new URL('../unit/evaluator/fairlearn.json', import.meta.url), 'utf8'));

function prediction(fields: Pick<Prediction, 'id' | 'model'> & Partial<Prediction>): Prediction {
  return {
    ...predictionDefaults,
    version: '1',
    time: startMs,
    features: {},
    prediction: 'up',
    ...fields,
  };
}

function feedback(id: string, label: Feedback['label'], fields: Partial<Feedback> = {}): Feedback {
  return { id, label, time: startMs + hourMs, model: null, value: null, ...fields };
}

describe('evaluator', () => {
  let configFolder: string;
  let installation: Installation;
  let evaluator: ServiceProcess;
  let encodePrediction: (prediction: Prediction) => Buffer;
  let encodeFeedback: (feedback: Feedback) => Buffer;
  beforeAll(async () => {
    configFolder = await mkdtemp(join(tmpdir(), 'driftloop-evaluator-'));
    const config = join(configFolder, 'driftloop.yaml');
    await writeFile(
      config,
      'models:\n  segmented: { segments: [country, tier] }\n  rossi: { segments: [race, age] }\n  weeks: { segments: [race, age] }\n  chosen: { positiveLabel: down }\n  daily: { window: 1d }\n',
    );
    installation = await freshInstallation({ DRIFTLOOP_CONFIG: config });
    encodePrediction = await installation.schemas.encoder<Prediction>(
      'Prediction',
      topic('predictions'),
    );
    encodeFeedback = await installation.schemas.encoder<Feedback>('Feedback', topic('feedback'));
    [, evaluator] = await Promise.all([
      installation.startService('profiler'),
      installation.startService('evaluator'),
    ]);
  });
  afterAll(async () => {
    await installation[Symbol.asyncDispose]();
    await rm(configFolder, { recursive: true });
  });

  const topic = (name: string) => `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}${name}`;
  const quiet = () => installation.untilQuiet('profiler', 'evaluator');
  const sendPredictions = (...values: Prediction[]) =>
    installation.producer.send({
      topic: topic('predictions'),
      messages: values.map(value => ({ key: value.id, value: encodePrediction(value) })),
    });
  const sendFeedback = (...values: Feedback[]) =>
    installation.producer.send({
      topic: topic('feedback'),
      messages: values.map(value => ({ key: value.id, value: encodeFeedback(value) })),
    });
  const select = <Row>(query: string, parameters: Record<string, unknown> = {}) =>
    installation.clickhouse.select<Row>(query, parameters);
  const performance = (model: string) =>
    select<Record<string, number | string | null>>(
      `SELECT *, toUnixTimestamp64Milli(window_start) AS start_ms FROM performance_windows FINAL
       WHERE model = {model:String} ORDER BY version, segment, window_start`,
      { model },
    );
  const outcomes = (model: string) =>
    select<{ version: string; id: string; label: string }>(
      'SELECT version, id, label FROM outcomes FINAL WHERE model = {model:String} ORDER BY version, id',
      { model },
    );
  const waitingFeedback = async () => {
    const text = await (await fetch(`${evaluator.healthUrl}/metrics`)).text();
    return Number(/^driftloop_feedback_waiting_total\{.*\} (\d+)$/m.exec(text)![1]);
  };

  it.each(Object.entries(scikit))(
    'computes the same as scikit-learn: %s',
    async (name, { rows, ...expected }) => {
      await sendPredictions(
        ...rows.map(({ label: _, ...fields }, index) =>
          prediction({ id: `${name}${index}`, model: name, ...fields, time: startMs + index }),
        ),
      );
      await sendFeedback(
        ...rows.map(({ label }, index) => feedback(`${name}${index}`, label, { value: 0.5 })),
      );
      await quiet();
      const [row, ...others] = await performance(name);
      expect(others).toEqual([]);
      expect(row).toMatchObject({
        task: expected.task,
        positive_label: expected.positiveLabel ?? '',
        predictions: rows.length,
        labelled: rows.length,
        coverage: 1,
        weight: expect.closeTo(
          rows.reduce((sum, row) => sum + (row.weight ?? 1) / (row.samplingRate ?? 1), 0),
          9,
        ),
        value_sum: rows.length / 2,
        // Labels are observed an hour after the first prediction, and predictions are a millisecond
        // apart. Percentiles are those of NumPy's method 'linear'.
        label_delay_p50_ms: hourMs - (rows.length - 1) * 0.5,
        label_delay_p95_ms: expect.closeTo(hourMs - (rows.length - 1) * 0.05, 6),
      });
      const { classes = [], ...figures } = expected.quality;
      const closeTo = (value: unknown) =>
        typeof value === 'number' ? expect.closeTo(value, 9) : value;
      const allCloseTo = (values: Record<string, unknown>) =>
        Object.fromEntries(Object.entries(values).map(([key, value]) => [key, closeTo(value)]));
      expect(row).toMatchObject({ ...allCloseTo(figures), classes: classes.map(allCloseTo) });
      expect(await reasons(name)).toHaveLength(1);
    },
  );

  /** Columns that are NULL in the rows of a model, with the reasons that the view gives. */
  const reasons = async (model: string) => {
    const rows = await select<Record<string, unknown> & { null_reasons: Record<string, string> }>(
      'SELECT * FROM performance_over_time WHERE model = {model:String} ORDER BY window_start',
      { model },
    );
    return rows.map(({ null_reasons, ...row }) => {
      const nulls = Object.keys(row).filter(name => row[name] === null);
      expect(Object.keys(null_reasons).sort()).toEqual(nulls.sort());
      return null_reasons;
    });
  };

  it('says why a figure is null', async () => {
    const labels = ['up', 'up', 'down', 'up'];
    const predictions = ['up', 'up', 'down', 'down'];
    const letters = Array.from({ length: 30 }, (_, index) => index);
    const inHour = (index: number) => startMs + index * hourMs;
    await sendPredictions(
      ...labels.map((_, index) =>
        prediction({
          id: `r${index}`,
          model: 'reasons',
          prediction: predictions[index]!,
          time: inHour(Math.min(index, 2)),
          score: index === 2 ? 0.2 : null,
          ranking: ['up', 'down'],
        }),
      ),
      ...[3, 3].map((number, index) =>
        prediction({
          id: `q${index}`,
          model: 'equal',
          prediction: number + 0.5,
          quantiles: { '0.5': 3 },
        }),
      ),
      prediction({ id: 'q2', model: 'equal', prediction: 1.5, time: inHour(1) }),
      prediction({ id: 'x0', model: 'apart', prediction: 'up' }),
      prediction({ id: 'x1', model: 'apart', prediction: 'N/A', time: inHour(1) }),
      ...letters.map(index =>
        prediction({ id: `c${index}`, model: 'letters', prediction: `letter ${index % 3}` }),
      ),
    );
    await sendFeedback(
      ...labels.map((label, index) => feedback(`r${index}`, label)),
      ...['q0', 'q1', 'q2'].map(id => feedback(id, 3)),
      feedback('x0', 'up'),
      feedback('x1', 'up'),
      ...letters.map(index => feedback(`c${index}`, `kind ${index % 3}`, { value: 2 })),
    );
    await quiet();
    const numbers = { mae: 'task-is-binary', rmse: 'task-is-binary', bias: 'task-is-binary' };
    const unscored = { log_loss: 'no-probabilities', calibration_error: 'no-probabilities' };
    expect(await reasons('reasons')).toMatchObject([
      {
        ...numbers,
        ...unscored,
        r2: 'task-is-binary',
        pinball_loss: 'task-is-binary',
        mcc: 'labels-or-predictions-of-one-class',
        auc: 'labels-of-one-class',
        average_precision: 'no-scores-of-positive-class',
        top_3_accuracy: 'ranking-too-short',
        value_sum: 'no-values',
      },
      numbers,
      { ...numbers, auc: 'no-scores-of-both-classes' },
    ]);
    expect(await reasons('equal')).toMatchObject([
      {
        accuracy: 'task-is-regression',
        mean_reciprocal_rank: 'task-is-regression',
        r2: 'labels-are-equal',
        interval_coverage: 'no-central-interval',
      },
      { pinball_loss: 'no-quantiles', interval_level: 'no-quantiles' },
    ]);
    expect(await reasons('apart')).toMatchObject([
      { auc: 'labels-of-one-class' },
      { accuracy: 'all-set-apart', label_delay_p50_ms: 'all-set-apart', auc: 'all-set-apart' },
    ]);
    const compared = { errors: 'not-comparable', precision: 'not-comparable' };
    expect(await reasons('letters')).toMatchObject([{ ...compared, auc: 'task-is-multiclass' }]);
  });

  it('weights neither what verdicts count with nor the counts of classes', async () => {
    const weights = { weight: 8, samplingRate: 0.5 };
    await sendPredictions(
      prediction({ id: 'w0', model: 'weighted', ...weights }),
      prediction({ id: 'w1', model: 'weighted' }),
      prediction({ id: 'n0', model: 'numbers', prediction: 2.5, ...weights }),
      prediction({ id: 'n1', model: 'numbers', prediction: 0.5 }),
    );
    await sendFeedback(
      feedback('w0', 'up'),
      feedback('w1', 'down'),
      feedback('n0', 1.5),
      feedback('n1', 3.5),
    );
    await quiet();
    expect(await performance('weighted')).toMatchObject([
      {
        labelled: 2,
        weight: 17,
        accuracy: 16 / 17,
        errors: 1,
        loss_sum: 1,
        loss_square_sum: 1,
        confusion: { 'down→up': 1, 'up→up': 1 },
        label_counts: { down: 1, up: 1 },
        classes: [
          { name: 'down', labelled: 1, predicted: 0, recall: 0 },
          { name: 'up', labelled: 1, predicted: 2, precision: 16 / 17 },
        ],
      },
    ]);
    expect(await performance('numbers')).toMatchObject([
      { labelled: 2, weight: 17, mae: (16 + 3) / 17, loss_sum: 4, loss_square_sum: 10 },
    ]);
  });

  it('computes windows with and without weights at once', async () => {
    const model = 'mixed';
    const scores = [0.9, 0.4, 0.4, 0.2];
    const labels = ['up', 'up', 'down', 'down'];
    await sendPredictions(
      ...[0, 1, 2].flatMap(window =>
        scores.map((score, index) =>
          prediction({
            id: `m${window}${index}`,
            model,
            prediction: score > 0.3 ? 'up' : 'down',
            score: window === 1 ? null : score,
            time: startMs + window * hourMs,
            weight: window === 2 && index === 1 ? 3 : null,
          }),
        ),
      ),
    );
    await sendFeedback(
      ...[0, 1, 2].flatMap(window =>
        labels.map((label, index) => feedback(`m${window}${index}`, label)),
      ),
    );
    await quiet();
    const weighted = { weight: 6, accuracy: 5 / 6, auc: expect.closeTo(0.8125, 12) };
    expect(await performance(model)).toMatchObject([
      { weight: 4, accuracy: 0.75, auc: 0.875 },
      { weight: 4, accuracy: 0.75, auc: null },
      // (1/4 · 1 + 3/4 · 3/4) of the pairs are in order, where a tie is half of one.
      weighted,
    ]);
  });

  it('joins feedback that comes before its prediction, after it, twice, corrected, and out of order', async () => {
    const model = 'orders';
    const ids = ['before', 'after', 'twice', 'corrected', 'older', 'correctedBefore', 'tie'];
    await sendFeedback(
      feedback('before', 'up'),
      feedback('correctedBefore', 'up'),
      feedback('correctedBefore', 'down', { time: startMs + 2 * hourMs }),
    );
    await quiet();
    await sendPredictions(
      ...ids.map(id => prediction({ id, model })),
      prediction({ id: 'unlabelled', model }),
    );
    await quiet();
    await sendFeedback(
      feedback('after', 'down'),
      feedback('twice', 'up'),
      feedback('twice', 'up'),
      feedback('corrected', 'up'),
      feedback('older', 'down', { time: startMs + 3 * hourMs }),
      feedback('tie', 'up'),
    );
    await quiet();
    await sendFeedback(
      feedback('corrected', 'down', { time: startMs + 2 * hourMs }),
      feedback('older', 'up', { time: startMs + 2 * hourMs }),
      feedback('tie', 'down'),
    );
    await quiet();
    const labels = Object.fromEntries((await outcomes(model)).map(row => [row.id, row.label]));
    expect(labels).toEqual({
      before: 'up',
      after: 'down',
      twice: 'up',
      corrected: 'down',
      older: 'down',
      correctedBefore: 'down',
      tie: 'down',
    });
    const rows = await performance(model);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      predictions: 8,
      labelled: 7,
      coverage: 7 / 8,
      errors: 5,
      loss_sum: 5,
      loss_square_sum: 5,
      precision: 2 / 7,
      recall: 1,
      log_loss: null,
      brier: null,
      auc: null,
      value_sum: null,
      confusion: { 'down→up': 5, 'up→up': 2 },
      label_counts: { down: 5, up: 2 },
    });

    await sendFeedback(
      feedback('after', 'down'),
      feedback('corrected', 'up'),
      feedback('twice', 'up'),
    );
    await quiet();
    const withoutWallClock = ({ ingested_at: _, ...row }: Record<string, unknown>) => row;
    expect((await performance(model)).map(withoutWallClock)).toEqual(rows.map(withoutWallClock));
  });

  it('stores and counts feedback for an unknown id, for any text of the id', async () => {
    const before = await waitingFeedback();
    const strange = [`it's "odd" \\ ,]`, 'ünï→\n\t{x:String}', 'nul\u0000', '😀 \\ud800'];
    await sendPredictions(...strange.map(id => prediction({ id, model: 'strange' })));
    await quiet();
    await installation.producer.send({
      topic: topic('feedback'),
      messages: [...strange, 'never seen'].map(id => ({
        key: id,
        value: JSON.stringify(feedback(id, true)),
      })),
    });
    await quiet();
    expect(
      await select('SELECT id, label FROM feedback FINAL WHERE id = {id:String}', {
        id: 'never seen',
      }),
    ).toEqual([{ id: 'never seen', label: 'true' }]);
    expect((await waitingFeedback()) - before).toBe(1);
    expect(await performance('strange')).toMatchObject([{ labelled: strange.length }]);
  });

  it('looks up more ids at once than one query can name', async () => {
    const ids = Array.from({ length: 6_000 }, (_, index) => `${"it's ".repeat(12)}${index}`);
    await sendPredictions(...ids.map(id => prediction({ id, model: 'large' })));
    await quiet();
    // All records have one key, so they are in one partition and one batch.
    await installation.producer.send({
      topic: topic('feedback'),
      messages: ids.map(id => ({ key: 'all', value: encodeFeedback(feedback(id, 'up')) })),
    });
    await quiet();
    expect(await performance('large')).toMatchObject([
      { predictions: ids.length, labelled: ids.length, accuracy: 1 },
    ]);
  });

  it('gives an outcome to every version that predicted the id, and to other models only if the feedback names none', async () => {
    const time = startMs + 2 * hourMs;
    await sendFeedback(feedback('shared', 'early', { model: 'second' }));
    await sendPredictions(
      prediction({ id: 'shared', model: 'first', version: 'champion' }),
      prediction({ id: 'shared', model: 'second' }),
      prediction({ id: 'named', model: 'first', version: 'champion' }),
      prediction({ id: 'named', model: 'second' }),
    );
    await quiet();
    await sendFeedback(
      feedback('shared', 'any', { time }),
      feedback('named', 'only first', { model: 'first' }),
    );
    await quiet();
    // The challenger scores the same traffic later, when the labels are there already.
    await sendPredictions(
      prediction({ id: 'shared', model: 'first', version: 'challenger' }),
      prediction({ id: 'named', model: 'first', version: 'challenger' }),
    );
    await quiet();
    expect(await outcomes('first')).toEqual([
      { version: 'challenger', id: 'named', label: 'only first' },
      { version: 'challenger', id: 'shared', label: 'any' },
      { version: 'champion', id: 'named', label: 'only first' },
      { version: 'champion', id: 'shared', label: 'any' },
    ]);
    expect(await outcomes('second')).toEqual([{ version: '1', id: 'shared', label: 'any' }]);
    await sendFeedback(feedback('shared', 'late', { model: 'second', time: time + 1 }));
    await quiet();
    expect(await outcomes('second')).toEqual([{ version: '1', id: 'shared', label: 'late' }]);
    expect((await outcomes('first')).map(row => row.label)).not.toContain('late');
  });

  it('computes each declared segment, with its own coverage', async () => {
    const model = 'segmented';
    const segments: Record<string, string>[] = [
      { country: 'DE', tier: 'a' },
      { country: 'DE', ignored: 'x' },
      { country: 'FR', tier: 'a' },
    ];
    await sendPredictions(
      ...segments.map((segment, index) => prediction({ id: `s${index}`, model, segment })),
    );
    await sendFeedback(feedback('s0', 'up'), feedback('s2', 'down'));
    await quiet();
    const rows = await performance(model);
    expect(
      rows.map(({ segment, predictions, labelled, accuracy }) => [
        segment,
        predictions,
        labelled,
        accuracy,
      ]),
    ).toEqual([
      ['', 3, 2, 0.5],
      ['country=DE', 2, 1, 1],
      ['country=FR', 1, 1, 0],
      ['tier=a', 2, 2, 0.5],
    ]);
  });

  it('computes the same for groups as fairlearn', async () => {
    const { rows } = fairlearn;
    // Groups are pooled over the windows of a day.
    const time = (index: number) => startMs + (index % 2) * hourMs;
    await sendPredictions(
      ...rows.flatMap(({ race, age, prediction: arrest, predictedWeek }, index) => [
        prediction({
          id: `rossi${index}`,
          model: 'rossi',
          time: time(index),
          segment: { race, age },
          prediction: arrest,
        }),
        prediction({
          id: `weeks${index}`,
          model: 'weeks',
          time: time(index),
          segment: { race, age },
          prediction: predictedWeek,
        }),
      ]),
    );
    await sendFeedback(
      ...rows.flatMap(({ label, week }, index) => [
        feedback(`rossi${index}`, label),
        feedback(`weeks${index}`, week),
      ]),
    );
    await quiet();
    const closeTo = (values: Record<string, number>) =>
      Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, expect.closeTo(value, 12)]),
      );
    const ofDay = (view: string, model: string) =>
      select<Record<string, string | number | null>>(
        `SELECT * FROM ${view} WHERE model = {model:String} AND period = 'day'`,
        { model },
      );
    const groups = await ofDay('group_quality', 'rossi');
    const fairness = await ofDay('fairness_over_time', 'rossi');
    for (const [name, segments] of Object.entries(fairlearn.classes))
      for (const [segment, expected] of Object.entries(segments)) {
        const isOf = (row: Record<string, unknown>) =>
          row.class === name && row.segment_name === segment;
        for (const [group, rates] of Object.entries(expected.groups))
          expect(groups.find(row => isOf(row) && row.group === group)).toMatchObject(
            closeTo(rates),
          );
        const row = fairness.find(isOf)!;
        expect(row).toMatchObject(closeTo(expected.fairness));
        expect(row.four_fifths_rule).toBe(Number(row.demographic_parity_ratio) >= 0.8 ? 1 : 0);
      }
    const ofYes = fairness.find(row => row.class === 'yes' && row.segment_name === 'race');
    expect(ofYes).toMatchObject({
      groups: 2,
      labelled: 432,
      least_selected: 'black',
      most_selected: 'other',
      // Method 10 of Newcombe for 191 of 379 and 35 of 53.
      demographic_parity_difference_low: expect.closeTo(0.012977, 6),
      demographic_parity_difference_high: expect.closeTo(0.279811, 6),
    });
    for (const row of await ofDay('fairness_over_time', 'weeks'))
      expect(row).toMatchObject({
        ...closeTo(fairlearn.numbers[row.segment_name as string]!),
        class: '',
        demographic_parity_difference: null,
        equalized_odds_difference: null,
      });
    const ofHours = await select<{ small: string[] }>(
      `SELECT small_groups AS small FROM fairness_over_time
       WHERE model = 'rossi' AND period = 'window' AND segment_name = 'race' AND class = 'yes'`,
    );
    expect(ofHours.map(({ small }) => small)).toEqual(
      [0, 1].map(hour => {
        const others = rows.filter(({ race }, index) => race === 'other' && index % 2 === hour);
        return others.length < 30 ? ['other'] : [];
      }),
    );
  });

  it('computes earlier windows again when new labels change the task', async () => {
    const model = 'turning';
    const send = async (number: number, output: string | number, label: string | number) => {
      await sendPredictions(
        prediction({
          id: `t${number}`,
          model,
          prediction: output,
          time: startMs + number * hourMs,
        }),
      );
      await sendFeedback(feedback(`t${number}`, label));
      await quiet();
    };
    const decisions = async () =>
      (await performance(model)).map(row => `${row.task} ${row.positive_label}`);
    await send(0, 1, 1);
    expect(await decisions()).toEqual(['binary 1']);
    await send(1, 2, 3);
    expect(await decisions()).toEqual(['multiclass ', 'multiclass ']);
    await send(2, 2.5, 3.5);
    expect(await decisions()).toEqual(['regression ', 'regression ', 'regression ']);
    const rows = await performance(model);
    expect(rows.map(row => row.mae)).toEqual([0, 1, 1]);
    expect(rows.map(row => row.label_counts)).toEqual([{}, {}, {}]);
    // A text among numbers changes nothing else.
    await send(3, 'a lot', 'a lot');
    expect(new Set(await decisions())).toEqual(new Set(['regression ']));
    expect((await performance(model)).at(-1)).toMatchObject({
      predictions: 1,
      labelled: 0,
      set_apart: 1,
      set_apart_examples: ['label "a lot", prediction "a lot"'],
      mae: null,
    });
  });

  it('uses the window size and the positive class of the settings', async () => {
    await sendPredictions(
      ...['up', 'down'].map((output, index) =>
        prediction({ id: `c${index}`, model: 'chosen', prediction: output, score: 0.25 }),
      ),
      ...[1, 23, 25].map(hour =>
        prediction({ id: `d${hour}`, model: 'daily', time: startMs + hour * hourMs }),
      ),
    );
    await sendFeedback(feedback('c0', 'down'), feedback('c1', 'down'));
    await sendFeedback(...[1, 23, 25].map(hour => feedback(`d${hour}`, 'up')));
    await quiet();
    expect(await performance('chosen')).toMatchObject([
      {
        positive_label: 'down',
        precision: 1,
        recall: 0.5,
        brier: 0.75 ** 2,
        log_loss: Math.log(4),
        auc: null,
      },
    ]);
    expect((await performance('daily')).map(row => [row.start_ms, row.labelled])).toEqual([
      [startMs, 2],
      [startMs + 24 * hourMs, 1],
    ]);
  });

  it('counts predictions that come after the labels of their window, and announces what it wrote', async () => {
    const model = 'announced';
    const windows = await watchWindows(model);
    await sendPredictions(prediction({ id: 'a0', model }));
    await sendFeedback(feedback('a0', 'up'));
    await quiet();
    await sendPredictions(prediction({ id: 'a1', model }));
    await quiet();
    expect((await performance(model)).map(row => [row.predictions, row.coverage])).toEqual([
      [2, 0.5],
    ]);
    const performanceUpdates = await windows.announced;
    for (const update of performanceUpdates) {
      expect(update).toMatchObject({
        version: '1',
        sourcePartition: -1,
        watermark: null,
        windowSizeMs: hourMs,
      });
      expect(update.windowStarts).toEqual([startMs]);
    }
  });

  it('sends unusable records to dead letters and uses the records around them', async () => {
    const broken = {
      'malformed-json': '{"id":',
      'null-value': null,
      'half-character': '{"id":"\\ud800","label":true,"time":"2026-01-01"}',
      'malformed-avro': encodeFeedback(feedback('x', 'up')).subarray(0, 8),
      'implausible-time': encodeFeedback(feedback('x', 'up', { time: 0 })),
      'future-time': encodeFeedback(feedback('x', 'up', { time: Date.UTC(2100, 0) })),
      'invalid-field': encodeFeedback(feedback('x', Number.NaN, { model: 'broken' })),
    };
    await sendPredictions(
      prediction({ id: 'sound0', model: 'broken' }),
      prediction({ id: 'sound1', model: 'broken' }),
    );
    await sendFeedback(feedback('sound0', 'up'));
    await installation.producer.send({
      topic: topic('feedback'),
      messages: Object.values(broken).map(value => ({ key: 'x', value })),
    });
    await installation.producer.send({
      topic: topic('feedback'),
      messages: [
        {
          key: 'x',
          value: JSON.stringify({
            specversion: '1.0',
            id: '1',
            type: 't',
            source: 's',
            data: { id: 'sound1', label: 'up', time: new Date(startMs).toISOString() },
          }),
        },
      ],
    });
    await quiet();
    const letters = await select<{ class: string; model: string; message: string }>(
      "SELECT class, model, message FROM dead_letters FINAL WHERE service = 'evaluator' ORDER BY class",
    );
    expect(letters.map(letter => letter.class)).toEqual(
      Object.keys(broken)
        .map(name => (name === 'half-character' ? 'malformed-json' : name))
        .sort(),
    );
    expect(letters.find(letter => letter.class === 'invalid-field')).toMatchObject({
      model: 'broken',
      message: 'label: expected a finite number, got NaN',
    });
    expect(await performance('broken')).toMatchObject([{ labelled: 2, accuracy: 1 }]);
  });

  it('gives the result of one pass over the topics although two evaluators are killed', async () => {
    const model = 'killed';
    const count = 3_000;
    const second = await installation.startService('evaluator');
    const labels = new Map<number, string>();
    const outputOf = (index: number) => (index % 3 ? 'up' : 'down');
    const predicted = Array.from({ length: count }, (_, index) =>
      prediction({
        id: `k${index}`,
        model,
        prediction: outputOf(index),
        time: startMs + index * 10_000,
      }),
    );
    for (let from = 0; from < count; from += 500) {
      // The labels are of earlier, present and coming predictions. Some come twice, and some are
      // corrected by a later portion.
      const labelled = Array.from({ length: 500 }, (_, step) => (from + step * 7) % count);
      for (const index of labelled) labels.set(index, (index + from / 500) % 5 ? 'up' : 'down');
      await Promise.all([
        sendPredictions(...predicted.slice(from, from + 500)),
        sendFeedback(
          ...labelled.map(index =>
            feedback(`k${index}`, labels.get(index)!, { time: startMs + 100 * hourMs + from }),
          ),
        ),
      ]);
      if (from === 1_000) second.kill();
      if (from === 2_000) {
        evaluator.kill();
        evaluator = await installation.startService('evaluator');
      }
    }
    await quiet();
    const expected = new Map<number, { predictions: number; labelled: number; errors: number }>();
    for (let index = 0; index < count; index++) {
      const start = windowStartMs(startMs + index * 10_000, hourMs);
      const window = expected.get(start) ?? { predictions: 0, labelled: 0, errors: 0 };
      expected.set(start, window);
      window.predictions++;
      const label = labels.get(index);
      if (label === undefined) continue;
      window.labelled++;
      if (label !== outputOf(index)) window.errors++;
    }
    const found = (await performance(model)).map(({ start_ms, predictions, labelled, errors }) => [
      start_ms,
      { predictions, labelled, errors },
    ]);
    expect(found).toEqual([...expected]);
  });

  /**
   * Waits for the first two updates of kind `performance` of a model: that of its label, and that
   * of the prediction that came later.
   */
  async function watchWindows(model: string) {
    const consumer = installation.kafka.consumer({ groupId: `${topic('watch')}-${model}` });
    const updates: WindowUpdate[] = [];
    const two = Promise.withResolvers<WindowUpdate[]>();
    await consumer.connect();
    await consumer.subscribe({ topic: topic('windows'), fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        const update: WindowUpdate = contractType('WindowUpdate').fromBuffer(
          message.value!.subarray(wireHeaderBytes),
        );
        if (update.model === model && update.kind === 'performance') updates.push(update);
        if (updates.length === 2) two.resolve(updates);
      },
    });
    return { announced: two.promise.finally(() => consumer.disconnect()) };
  }
});
