import { readFileSync } from 'node:fs';
import { Cron } from 'croner';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { parseDurationMs } from '../duration.ts';
import { UserError } from '../userError.ts';

const duration = z
  .string({ error: 'expected a duration such as 15m, 1h, 7d' })
  .transform((text, context) => {
    const milliseconds = parseDurationMs(text);
    if (milliseconds === null)
      context.addIssue({ code: 'custom', message: 'expected a duration such as 15m, 1h, 7d' });
    return milliseconds ?? z.NEVER;
  });
const windowSize = duration.refine(milliseconds => milliseconds >= 1000, 'expected at least 1s');
const cron = z.string().refine(pattern => {
  try {
    new Cron(pattern, { paused: true }).stop();
    return true;
  } catch {
    return false;
  }
}, 'expected a cron expression such as "0 3 * * *"');

const settingsOfOneModel = z.strictObject({
  window: windowSize.describe('size of the event-time windows'),
  allowedLateness: duration.describe('how far the watermark stays behind the highest event time'),
  horizon: duration.describe('how late a prediction may come and still be counted'),
  deduplication: duration.describe(
    'how long, in event time behind the watermark, a repeated id is recognised at the least',
  ),
  idle: duration.describe(
    'wall clock after which a partition without traffic no longer holds windows back',
  ),
  segments: z
    .array(z.string().min(1))
    .max(10)
    .describe('names of the segments that get profiles of their own'),
  positiveLabel: z
    .string()
    .optional()
    .describe('positive class of a binary model; otherwise 1, true, yes, or the last in order'),
  detection: z.strictObject({
    falseAlarmsPerThousandWindows: z
      .number()
      .positive()
      .max(100)
      .describe('budget for all tests together'),
    minimumRecords: z.number().int().min(20).describe('records that a comparison needs'),
    bootstrapWindows: z
      .number()
      .int()
      .min(2)
      .max(1000)
      .describe('first windows that serve as the reference where no training profile is known'),
    bootstrapRecords: z
      .number()
      .int()
      .min(50)
      .describe('records that the bootstrap reference needs'),
    performanceDrop: z
      .number()
      .min(0)
      .max(1)
      .describe('loss of accuracy that is too small to matter'),
  }),
  retraining: z.strictObject({
    enabled: z.boolean(),
    causes: z
      .array(z.enum(['data_drift', 'concept_drift', 'prediction_drift']))
      .describe('drift events that start a training'),
    cooldown: duration.describe('event time between two trainings of a model'),
    minimumLabelledRows: z.number().int().min(50).describe('labelled rows that a training needs'),
    maximumRows: z
      .number()
      .int()
      .min(100)
      .max(1_000_000)
      .describe('newest labelled rows that are used'),
    schedule: cron.optional().describe('cron expression of a regular training'),
    timeout: duration.describe('wall clock after which a training is stopped'),
    command: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('a trainer of your own instead of the built-in one'),
  }),
});
export type ModelSettings = z.infer<typeof settingsOfOneModel>;

const defaults: z.input<typeof settingsOfOneModel> = {
  window: '1h',
  allowedLateness: '1m',
  horizon: '7d',
  deduplication: '1h',
  idle: '5m',
  segments: [],
  detection: {
    falseAlarmsPerThousandWindows: 0.5,
    minimumRecords: 50,
    bootstrapWindows: 10,
    bootstrapRecords: 1000,
    performanceDrop: 0.02,
  },
  retraining: {
    enabled: true,
    causes: ['data_drift', 'concept_drift'],
    cooldown: '1d',
    minimumLabelledRows: 500,
    maximumRows: 20_000,
    timeout: '10m',
  },
};

const partial = settingsOfOneModel
  .extend({
    detection: settingsOfOneModel.shape.detection.partial(),
    retraining: settingsOfOneModel.shape.retraining.partial(),
  })
  .partial();
const fileSchema = z.strictObject({
  defaults: partial.optional(),
  models: z.record(z.string().min(1), partial).optional(),
});

export interface Settings {
  /** Settings of a model; one that nobody configured has the defaults. */
  of(model: string): ModelSettings;
  /** Models that the file names. */
  configuredModels: string[];
}

type Layer = z.infer<typeof partial> | undefined;

function layered(base: ModelSettings, layer: Layer): ModelSettings {
  if (!layer) return base;
  return {
    ...base,
    ...layer,
    detection: { ...base.detection, ...layer.detection },
    retraining: { ...base.retraining, ...layer.retraining },
  } as ModelSettings;
}

/**
 * Settings from YAML text.
 * @param source name of the file, for messages
 * @throws UserError with one line per mistake: `file:line: path: what was expected (got …)`
 */
export function parseSettings(text: string, source: string): Settings {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  if (document.errors.length > 0) {
    throw new UserError(
      document.errors.map(error => `${source}: ${error.message.split('\n')[0]}`).join('\n'),
    );
  }
  const content = document.toJS() ?? {};
  const parsed = fileSchema.safeParse(content);
  if (!parsed.success) {
    const lines = parsed.error.issues.flatMap(issue => {
      const paths =
        issue.code === 'unrecognized_keys'
          ? issue.keys.map(key => [...issue.path, key])
          : [issue.path];
      return paths.map(path => {
        const node = document.getIn(path, true) as { range?: [number] } | undefined;
        const line = node?.range ? `:${lineCounter.linePos(node.range[0]).line}` : '';
        const message = issue.code === 'unrecognized_keys' ? 'is not a setting' : issue.message;
        return `${source}${line}: ${path.join('.') || '(file)'}: ${message} (got ${JSON.stringify(document.getIn(path))})`;
      });
    });
    throw new UserError(lines.join('\n'));
  }
  const everyModel = layered(settingsOfOneModel.parse(defaults), parsed.data.defaults);
  const models = new Map(
    Object.entries(parsed.data.models ?? {}).map(([name, layer]) => [
      name,
      layered(everyModel, layer),
    ]),
  );
  return { of: model => models.get(model) ?? everyModel, configuredModels: [...models.keys()] };
}

/** Reads the settings file; without one every model has the defaults. @throws UserError */
export function readSettings(path: string | undefined): Settings {
  if (path === undefined) return parseSettings('', '(defaults)');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`settings file ${path}: ${(error as Error).message}`, { cause: error });
  }
  return parseSettings(text, path);
}
