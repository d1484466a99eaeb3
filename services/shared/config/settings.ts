import { readFileSync } from 'node:fs';
import { Cron } from 'croner';
import { z } from 'zod';
import { parseDurationMs } from '../duration.ts';
import { type FeatureKinds, featureKinds } from '../featureKind.ts';
import { UserError } from '../userError.ts';
import { guardrailsSchema } from './guardrailsSchema.ts';
import {
  type Input,
  type InputMapping,
  inputsSchema,
  mappingsSchema,
  topicName,
} from './inputs.ts';
import { parseYaml } from './parseYaml.ts';

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

const expectedUrl = 'expected a URL without a password, such as https://platform.example/trainings';
const webhookUrl = z
  .url({ protocol: /^https?$/, error: expectedUrl })
  .refine(url => new URL(url).username === '', expectedUrl);

const dropMessage =
  'expected a number from 0 to 1, or { absolute: …, relative: … } with at least one of them';

/**
 * The settings of one model as a file names them. Its durations are texts such as 1h, here parsed
 * to milliseconds.
 */
const settingsOfOneModel = z.strictObject({
  window: windowSize.describe('size of the event-time windows'),
  outOfOrderness: duration.describe('how far the watermark stays behind the highest event time'),
  gracePeriod: duration.describe('how late a prediction may come and still be counted'),
  deduplication: duration.describe(
    'minimum event time behind the watermark in which a repeated id is recognised',
  ),
  idle: duration.describe(
    'wall clock after which a partition without traffic no longer holds windows back',
  ),
  segments: z
    .array(z.string().min(1))
    .max(10)
    .describe('names of the segments that get profiles of their own'),
  positiveLabel: z.string().optional().describe('another name of output.positiveLabel'),
  output: z.strictObject({
    task: z
      .enum(['binary', 'multiclass', 'regression'])
      .optional()
      .describe('what the model predicts; otherwise it is decided from the first labels'),
    positiveLabel: z.string().optional().describe('positive class of a binary model'),
    scoreOf: z.string().optional().describe('class whose probability the score is'),
    threshold: z
      .number()
      .optional()
      .describe('probability or score from which on the class scoreOf is predicted'),
    costs: z
      .record(z.string().min(1), z.record(z.string().min(1), z.number().min(0)))
      .optional()
      .describe('what a prediction costs, by the true class and then by the predicted one'),
  }),
  features: z
    .record(z.string().min(1), z.strictObject({ kind: z.enum(featureKinds) }))
    .describe('kind of a feature, where it is not what its values look like'),
  guardrails: guardrailsSchema.describe('rules that each prediction has to keep'),
  keepVectors: z
    .boolean()
    .describe('whether vectors among the features are stored with each prediction'),
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
      .union(
        [
          z.number().min(0).max(1),
          z
            .strictObject({
              absolute: z.number().min(0).optional(),
              relative: z.number().min(0).optional(),
            })
            .refine(({ absolute, relative }) => (absolute ?? relative) !== undefined, dropMessage),
        ],
        dropMessage,
      )
      .describe('rise of the error that is too small to matter'),
    minimumEffect: z
      .strictObject({
        deviations: z
          .number()
          .min(0)
          .max(1)
          .describe('for numbers: standard deviations by which a bell curve would have moved'),
        psi: z.number().min(0).max(1).describe('for categories, classes and labels: the PSI'),
        defects: z
          .number()
          .min(0)
          .max(1)
          .describe('rise of the share of records with missing, new or broken values'),
      })
      .describe('changes of inputs and outputs that are smaller open no drift event'),
  }),
  retraining: z.strictObject({
    enabled: z.boolean(),
    approval: z
      .enum(['automatic', 'shadow', 'manual'])
      .describe(
        'what makes a version that has passed the gates the champion: nothing else, a comparison in shadow, or a person',
      ),
    watch: duration.describe(
      'event time after a promotion in which a champion that does worse than its predecessor is rolled back; 0s: never',
    ),
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
    rows: z
      .enum(['auto', 'all', 'recent', 'since_change'])
      .describe('rows that are trained on; auto tries each and takes the best'),
    maximumTrainingsPerDay: z
      .number()
      .int()
      .min(1)
      .describe(
        'trainings with data of one day of event time up to which a drift is taken up again',
      ),
    schedule: cron.optional().describe('cron expression of a regular training'),
    everyLabelledRows: z
      .number()
      .int()
      .min(100)
      .optional()
      .describe('labelled rows since the last training that start one'),
    maximumAge: duration
      .refine(milliseconds => milliseconds > 0, 'expected more than 0s')
      .optional()
      .describe('event time since the last training that starts one'),
    timeout: duration.describe(
      'wall clock after which a training is stopped, or is no longer waited for',
    ),
    command: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('a trainer of your own instead of the built-in one'),
    webhook: z
      .strictObject(
        {
          url: webhookUrl,
          secretEnv: z
            .string()
            .regex(/^[A-Za-z_]\w*$/, 'expected the name of an environment variable')
            .optional(),
        },
        {
          error: ({ code }) =>
            code === 'invalid_type' ? 'expected url:, and perhaps secretEnv:' : undefined,
        },
      )
      .optional()
      .describe('a platform that trains, and is asked by HTTP'),
    topic: topicName.optional().describe('Kafka topic of a platform that trains'),
  }),
});

const defaults: z.input<typeof settingsOfOneModel> = {
  window: '1h',
  outOfOrderness: '1m',
  gracePeriod: '7d',
  deduplication: '1h',
  idle: '5m',
  segments: [],
  output: {},
  features: {},
  guardrails: [],
  keepVectors: false,
  detection: {
    falseAlarmsPerThousandWindows: 0.5,
    minimumRecords: 50,
    bootstrapWindows: 10,
    bootstrapRecords: 1000,
    performanceDrop: 0.02,
    minimumEffect: { deviations: 0.05, psi: 0.0025, defects: 0.01 },
  },
  retraining: {
    enabled: true,
    approval: 'automatic',
    watch: '7d',
    causes: ['data_drift', 'concept_drift'],
    cooldown: '1d',
    minimumLabelledRows: 500,
    maximumRows: 20_000,
    rows: 'auto',
    maximumTrainingsPerDay: 4,
    timeout: '10m',
  },
};

type FileSettings = z.infer<typeof settingsOfOneModel>;

/** The settings of one model as the code names them: every duration carries its unit. */
export interface ModelSettings
  extends Pick<
    FileSettings,
    'segments' | 'positiveLabel' | 'output' | 'guardrails' | 'keepVectors'
  > {
  detection: FileSettings['detection'] & {
    /** Kinds that the settings name; absent if they name none. */
    featureKinds?: FeatureKinds;
  };
  windowSizeMs: number;
  outOfOrdernessMs: number;
  gracePeriodMs: number;
  deduplicationMs: number;
  idleMs: number;
  retraining: Omit<FileSettings['retraining'], 'watch' | 'cooldown' | 'timeout' | 'maximumAge'> & {
    watchMs: number;
    cooldownMs: number;
    timeoutMs: number;
    maximumAgeMs?: number;
  };
}

function withUnits(settings: FileSettings): ModelSettings {
  const { window, outOfOrderness, gracePeriod, deduplication, idle, features, ...others } =
    settings;
  const { watch, cooldown, timeout, maximumAge, ...retraining } = others.retraining;
  const kinds = Object.entries(features).map(([name, { kind }]) => [name, kind] as const);
  return {
    ...others,
    detection: {
      ...others.detection,
      ...(kinds.length > 0 && { featureKinds: Object.fromEntries(kinds) }),
    },
    windowSizeMs: window,
    outOfOrdernessMs: outOfOrderness,
    gracePeriodMs: gracePeriod,
    deduplicationMs: deduplication,
    idleMs: idle,
    retraining: {
      ...retraining,
      watchMs: watch,
      cooldownMs: cooldown,
      timeoutMs: timeout,
      ...(maximumAge !== undefined && { maximumAgeMs: maximumAge }),
    },
  };
}

/**
 * Names that a setting had in earlier releases. They are accepted until version `formerNamesUntil`.
 */
const formerNames: Readonly<Record<string, keyof FileSettings>> = {
  allowedLateness: 'outOfOrderness',
  horizon: 'gracePeriod',
};
const formerNamesUntil = '0.3';

/** Settings of which each names another trainer than the built-in one. */
const trainerNames = ['command', 'webhook', 'topic'] as const;
const oneTrainer = `expected only one of ${trainerNames.join(', ')}, because one trainer trains a model`;

function trainersIn(layer: object): string[] {
  return trainerNames.filter(name => name in layer);
}

const layerSchema = settingsOfOneModel
  .extend({
    allowedLateness: duration,
    horizon: duration,
    // Null is a group of which every line is commented out.
    output: settingsOfOneModel.shape.output.nullable(),
    detection: settingsOfOneModel.shape.detection.partial().extend({
      minimumEffect: settingsOfOneModel.shape.detection.shape.minimumEffect.partial().optional(),
    }),
    retraining: settingsOfOneModel.shape.retraining
      .partial()
      .refine(layer => trainersIn(layer).length < 2, oneTrainer),
  })
  .partial();
const checkedLayerSchema = Object.entries(formerNames).reduce(
  (schema, [former, name]) =>
    schema.refine(layer => !(former in layer && name in layer), {
      path: [former],
      error: `is the old name of ${name}, which is given as well; remove one of the two`,
      // Also beside other mistakes, so that all of them are listed at once.
      when: ({ value }) => typeof value === 'object' && value !== null,
    }),
  layerSchema,
);
const fileSchema = z.strictObject({
  inputs: inputsSchema.optional(),
  defaults: checkedLayerSchema.optional(),
  models: z.record(z.string().min(1), checkedLayerSchema).optional(),
});

const mappingFileSchema = z.strictObject(
  { inputs: mappingsSchema },
  { error: issue => (issue.code === 'invalid_type' ? 'expected inputs: with a list' : undefined) },
);

type Layer = z.infer<typeof layerSchema>;
type FileContent = z.infer<typeof fileSchema>;

export interface Settings {
  /** Returns the settings of a model; one that nobody configured has the defaults. */
  of(model: string): ModelSettings;
  /** Settings of every model that nobody configured. */
  ofOthers: ModelSettings;
  /** Models that the file names. */
  configuredModels: string[];
  /** Topics beside Driftloop's own, and how their records are read. */
  inputs: readonly Input[];
  /** What should be changed in the file although it is accepted, one sentence each. */
  warnings: string[];
}

/** A trainer that a layer names takes the place of the one below it. */
function layeredRetraining(
  base: FileSettings['retraining'],
  layer: Partial<FileSettings['retraining']> = {},
): object {
  const others = trainersIn(layer).length > 0 ? without(base, trainerNames) : base;
  return { ...others, ...layer };
}

function without(group: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(group).filter(([name]) => !names.includes(name)));
}

function layered(base: FileSettings, layer: Layer = {}): FileSettings {
  const renamed: Layer = Object.fromEntries(
    Object.entries(layer).map(([name, value]) => [formerNames[name] ?? name, value]),
  );
  return {
    ...base,
    ...renamed,
    output: { ...base.output, ...layer.output },
    detection: {
      ...base.detection,
      ...layer.detection,
      minimumEffect: { ...base.detection.minimumEffect, ...layer.detection?.minimumEffect },
    },
    retraining: layeredRetraining(base.retraining, layer.retraining),
  } as FileSettings;
}

function warningsOf({ defaults: ofAll = {}, models = {} }: FileContent): string[] {
  const layers: [string, Layer][] = [
    ['defaults', ofAll],
    ...Object.entries(models).map(([model, layer]): [string, Layer] => [`models.${model}`, layer]),
  ];
  return layers.flatMap(([path, layer]) =>
    Object.entries(formerNames)
      .filter(([former]) => former in layer)
      .map(
        ([former, name]) =>
          `${path}.${former} is now called ${name}; the old name is accepted until version ${formerNamesUntil}.`,
      ),
  );
}

/**
 * Reads settings from YAML text.
 * @param source name of the file, for messages
 * @throws UserError with one line per mistake: `file:line: path: what was expected (got …)`
 */
export function parseSettings(text: string, source: string): Settings {
  const content = parseYaml(text, source, fileSchema);
  const everyModel = layered(settingsOfOneModel.parse(defaults), content.defaults);
  const models = new Map(
    Object.entries(content.models ?? {}).map(([name, layer]) => [
      name,
      withUnits(layered(everyModel, layer)),
    ]),
  );
  const ofOthers = withUnits(everyModel);
  return {
    of: model => models.get(model) ?? ofOthers,
    ofOthers,
    configuredModels: [...models.keys()],
    inputs: content.inputs ?? [],
    warnings: warningsOf(content),
  };
}

/**
 * Reads the settings file. Without one every model has the defaults.
 * @throws UserError with one line per mistake
 */
export function readSettings(path: string | undefined): Settings {
  if (path === undefined) return parseSettings('', '(defaults)');
  return parseSettings(readText('settings', path), path);
}

/**
 * Reads how the files of a replay are mapped, from a file with the setting `inputs` alone.
 * @throws UserError with one line per mistake
 */
export function readMappings(path: string): readonly InputMapping[] {
  return parseYaml(readText('mapping', path), path, mappingFileSchema).inputs;
}

function readText(kind: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`${kind} file ${path}: ${(error as Error).message}`, { cause: error });
  }
}
