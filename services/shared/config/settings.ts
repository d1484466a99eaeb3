import { readFileSync } from 'node:fs';
import { Cron } from 'croner';
import { z } from 'zod';
import { parseDurationMs } from '../duration.ts';
import { type FeatureKinds, featureKinds } from '../featureKind.ts';
import { compileCondition } from '../guardrails/condition.ts';
import { UserError } from '../userError.ts';
import { type Input, type InputMapping, inputsSchema, mappingsSchema } from './inputs.ts';
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

const guardrail = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]{1,100}$/, 'expected up to 100 letters, digits, dots, dashes and underscores')
      .describe('name of the rule, unique for the model'),
    feature: z.string().min(1).optional().describe('the feature that it is about'),
    output: z
      .enum(['prediction', 'score'])
      .optional()
      .describe('the output that it is about, instead of a feature'),
    minimum: z.number().optional().describe('smallest number that is fine'),
    maximum: z.number().optional().describe('largest number that is fine'),
    allowed: z
      .array(z.union([z.string(), z.number(), z.boolean()]))
      .min(1)
      .optional()
      .describe('the values that are fine'),
    required: z.boolean().optional().describe('whether a missing value breaks the rule'),
    when: z
      .string()
      .optional()
      .describe('condition in CEL under which the rule is broken, instead of a feature or output'),
  })
  .superRefine((rule, context) => {
    const fail = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const { name, feature, output, when, minimum, maximum, ...limits } = rule;
    const subjects = [feature, output, when].filter(given => given !== undefined);
    if (subjects.length !== 1) fail('name', 'expected one of feature, output and when beside it');
    const hasLimit = [minimum, maximum, ...Object.values(limits)].some(
      given => given !== undefined,
    );
    if (when !== undefined && hasLimit)
      fail('when', 'is a rule by itself; remove what is beside it');
    if (when === undefined && !hasLimit)
      fail('name', 'expected minimum, maximum, allowed or required beside it');
    if (minimum !== undefined && maximum !== undefined && minimum > maximum)
      fail('minimum', `expected at most maximum, which is ${maximum}`);
    if (when === undefined) return;
    try {
      compileCondition(when);
    } catch (error) {
      fail('when', `expected a condition in CEL: ${(error as Error).message}`);
    }
  });

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
  guardrails: z
    .array(guardrail)
    .max(100)
    .superRefine((rules, context) => {
      for (const [index, { name }] of rules.entries())
        if (rules.findIndex(rule => rule.name === name) < index)
          context.addIssue({
            code: 'custom',
            path: [index, 'name'],
            message: 'expected another name, because a rule above has this one',
          });
    })
    .describe('rules that each prediction has to keep'),
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
    timeout: duration.describe('wall clock after which a training is stopped'),
    command: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('a trainer of your own instead of the built-in one'),
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

const layerSchema = settingsOfOneModel
  .extend({
    allowedLateness: duration,
    horizon: duration,
    // Null is a group of which every line is commented out.
    output: settingsOfOneModel.shape.output.nullable(),
    detection: settingsOfOneModel.shape.detection.partial().extend({
      minimumEffect: settingsOfOneModel.shape.detection.shape.minimumEffect.partial().optional(),
    }),
    retraining: settingsOfOneModel.shape.retraining.partial(),
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
    retraining: { ...base.retraining, ...layer.retraining },
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
