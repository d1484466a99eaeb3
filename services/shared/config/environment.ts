import { z } from 'zod';
import { locationMistake } from '../artifacts/openArtifactStore.ts';
import { UserError } from '../userError.ts';

const blankAsAbsent = (value: unknown) => (value === '' ? undefined : value);
const text = (fallback: string) => z.preprocess(blankAsAbsent, z.string().default(fallback));
const optionalText = z.preprocess(blankAsAbsent, z.string().optional());
const flag = z.preprocess(
  blankAsAbsent,
  z
    .enum(['true', 'false'], { error: 'expected true or false' })
    .default('false')
    .transform(value => value === 'true'),
);
const wholeNumber = (fallback: number) =>
  z.preprocess(blankAsAbsent, z.coerce.number().int().nonnegative().default(fallback));

/**
 * Every environment variable that Driftloop reads, with its default. A process reads them once and
 * passes the result on.
 */
const environmentSchema = z
  .object({
    KAFKA_BROKERS: text('127.0.0.1:9092').describe('host:port, comma-separated'),
    KAFKA_SSL: flag,
    KAFKA_SSL_CA_FILE: optionalText.describe('PEM file of the authority of the brokers'),
    KAFKA_SSL_CERT_FILE: optionalText.describe('PEM file of a client certificate'),
    KAFKA_SSL_KEY_FILE: optionalText.describe('PEM file of its key'),
    KAFKA_SASL_MECHANISM: z.preprocess(
      blankAsAbsent,
      z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
    ),
    KAFKA_SASL_USERNAME: optionalText,
    KAFKA_SASL_PASSWORD: optionalText,
    SCHEMA_REGISTRY_URL: text('http://127.0.0.1:8081/apis/ccompat/v7'),
    SCHEMA_REGISTRY_CA_FILE: optionalText.describe('PEM file of the authority of the registry'),
    SCHEMA_REGISTRY_CERT_FILE: optionalText.describe('PEM file of a client certificate'),
    SCHEMA_REGISTRY_KEY_FILE: optionalText.describe('PEM file of its key'),
    SCHEMA_REGISTRY_USERNAME: optionalText,
    SCHEMA_REGISTRY_PASSWORD: optionalText,
    CLICKHOUSE_URL: text('http://127.0.0.1:8123'),
    CLICKHOUSE_CA_FILE: optionalText.describe('PEM file of the authority of ClickHouse'),
    CLICKHOUSE_CERT_FILE: optionalText.describe('PEM file of a client certificate'),
    CLICKHOUSE_KEY_FILE: optionalText.describe('PEM file of its key'),
    CLICKHOUSE_USERNAME: text('default'),
    CLICKHOUSE_PASSWORD: text(''),
    CLICKHOUSE_DATABASE: text('driftloop').pipe(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected letters, digits and _'),
    ),
    DRIFTLOOP_TOPIC_PREFIX: text('').describe(
      'put before every topic and consumer group, to run several side by side',
    ),
    DRIFTLOOP_PREDICTIONS_TOPIC: optionalText.describe(
      'full name of the topic of predictions, where it is not prefix and predictions',
    ),
    DRIFTLOOP_FEEDBACK_TOPIC: optionalText.describe(
      'full name of the topic of feedback, where it is not prefix and feedback',
    ),
    DRIFTLOOP_REPLICATION_FACTOR: z
      .preprocess(blankAsAbsent, z.coerce.number().int().min(1).optional())
      .describe('copies of each topic that Driftloop creates; otherwise the default of the broker'),
    DRIFTLOOP_CONFIG: optionalText.describe('YAML file of settings'),
    DRIFTLOOP_HTTP_PORT: wholeNumber(0).describe('port of /live, /ready, /metrics; 0: a free one'),
    DRIFTLOOP_HTTP_HOST: text('127.0.0.1'),
    DRIFTLOOP_LOG_LEVEL: z.preprocess(
      blankAsAbsent,
      z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    ),
    DRIFTLOOP_FLUSH_MS: wholeNumber(1000).describe(
      'maximum flush interval; under backlog 5 times as long, or 4 times the last flush up to 30 s',
    ),
    DRIFTLOOP_SESSION_TIMEOUT_MS: wholeNumber(10_000).describe(
      'silence after which Kafka gives the partitions of a service to another',
    ),
    MLFLOW_TRACKING_URI: optionalText.describe('address of an MLflow server, http:// or https://'),
    MLFLOW_TRACKING_USERNAME: optionalText,
    MLFLOW_TRACKING_PASSWORD: optionalText,
    MLFLOW_TRACKING_TOKEN: optionalText,
    DRIFTLOOP_ARTIFACTS: text('.driftloop/artifacts')
      .superRefine((location, context) => {
        const message = locationMistake(location);
        if (message !== null) context.addIssue({ code: 'custom', message });
      })
      .describe('folder of datasets and models, or s3://bucket/prefix'),
    OPENLINEAGE_URL: z
      .preprocess(blankAsAbsent, z.url({ protocol: /^https?$/ }).optional())
      .describe('server to which the lineage of trainings is posted'),
    OPENLINEAGE_API_KEY: optionalText,
    OPENLINEAGE_NAMESPACE: text('driftloop').describe('namespace of the trainings there'),
  })
  .refine(
    value =>
      !value.KAFKA_SASL_MECHANISM || (value.KAFKA_SASL_USERNAME && value.KAFKA_SASL_PASSWORD),
    {
      path: ['KAFKA_SASL_USERNAME'],
      message: 'KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD',
    },
  )
  .superRefine((value, context) => {
    for (const server of ['KAFKA_SSL', 'SCHEMA_REGISTRY', 'CLICKHOUSE'] as const) {
      const [certificate, key] = [`${server}_CERT_FILE`, `${server}_KEY_FILE`] as const;
      if (!value[certificate] === !value[key]) continue;
      const message = `${certificate} and ${key} need each other`;
      context.addIssue({ code: 'custom', path: [key], message });
    }
  })
  .refine(value => value.KAFKA_SSL || !value.KAFKA_SSL_CA_FILE, {
    path: ['KAFKA_SSL'],
    message: 'KAFKA_SSL_CA_FILE needs KAFKA_SSL=true',
  });

export type Environment = z.infer<typeof environmentSchema>;

/** Reads the environment. @throws UserError with one line per variable that is wrong */
export function readEnvironment(
  variables: Record<string, string | undefined> = process.env,
): Environment {
  const parsed = environmentSchema.safeParse(variables);
  if (parsed.success) return parsed.data;
  throw new UserError(
    parsed.error.issues
      .map(
        issue =>
          `environment variable ${issue.path.join('.')}: ${issue.message} (got ${JSON.stringify(variables[String(issue.path[0])])})`,
      )
      .join('\n'),
  );
}
