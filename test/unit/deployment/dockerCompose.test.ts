import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readEnvironment } from '../../../services/shared/config/environment.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import { serviceFlow } from '../../../services/shared/kafka/serviceFlow.ts';

const root = new URL('../../../', import.meta.url);
const composeSchema = createRequire(import.meta.url)('./compose-spec.json');

interface ComposeService {
  image: string;
  build?: { dockerfile: string };
  command?: string[];
  restart?: string;
  environment: Record<string, string | number>;
  healthcheck?: { test: string[] };
  stop_grace_period?: string;
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
  deploy: { resources: { limits: { memory: string } } };
}

interface Compose {
  services: Record<string, ComposeService>;
  configs: Record<string, { file: string }>;
  volumes: Record<string, unknown>;
}

const compose: Compose = parse(readFileSync(new URL('docker-compose.yml', root), 'utf8'), {
  merge: true,
});
const services = Object.entries(compose.services);
/** Services that run Driftloop's own image. */
const own = services.filter(([, service]) => service.build);
const serviceNames = serviceFlow.map(({ name }) => name);

/** Replaces `${NAME:-default}` by its default. */
function withDefaults(text: string | number): string {
  return String(text).replace(/\$\{\w+:-([^}]*)\}/g, '$1');
}

describe('docker-compose.yml', () => {
  it('follows the Compose Specification', () => {
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(composeSchema);
    expect(validate(compose) || validate.errors).toBe(true);
    expect(validate({ services: { kafka: { imagine: 'x' } } })).toBe(false);
  });

  it('runs every service, each with its own main.ts', () => {
    const folders = readdirSync(new URL('services/', root), { withFileTypes: true })
      .filter(entry => entry.isDirectory() && entry.name !== 'shared')
      .map(entry => entry.name);
    expect(folders.sort()).toEqual([...serviceNames].sort());
    for (const name of serviceNames) {
      expect(compose.services[name]?.command).toEqual(['node', `services/${name}/main.ts`]);
    }
  });

  it.each(own)(
    'gives %s only variables that are read, with values that are accepted',
    (_, { environment }) => {
      const values = Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [name, withDefaults(value)]),
      );
      expect(Object.keys(readEnvironment(values))).toEqual(
        expect.arrayContaining(Object.keys(values)),
      );
    },
  );

  it('sends services to the ports at which the servers listen', () => {
    const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL } =
      compose.services.profiler!.environment;
    const kafka = compose.services.kafka!.environment;
    expect(kafka.KAFKA_ADVERTISED_LISTENERS).toContain(`INTERNAL://${KAFKA_BROKERS}`);
    expect(compose.services['schema-registry']!.environment.KAFKA_BOOTSTRAP_SERVERS).toBe(
      KAFKA_BROKERS,
    );
    for (const url of [SCHEMA_REGISTRY_URL, CLICKHOUSE_URL]) {
      expect(Object.keys(compose.services)).toContain(new URL(String(url)).hostname);
    }
    // A command on the host uses this address by default.
    expect(kafka.KAFKA_ADVERTISED_LISTENERS).toContain(
      `EXTERNAL://${readEnvironment({}).KAFKA_BROKERS}`,
    );
  });

  it('creates no topics by itself', () => {
    expect(compose.services.kafka!.environment.KAFKA_AUTO_CREATE_TOPICS_ENABLE).toBe('false');
  });

  it.each(services)('pins the image of %s to a release', (_, { image }) => {
    expect(image).toMatch(/:\d+\.\d+\.\d+/);
  });

  it.each(services)('says when %s may start, and how much memory it may use', (_, service) => {
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      const other = compose.services[name]!;
      if (condition === 'service_completed_successfully') expect(other.restart).toBe('no');
      else
        expect([condition, other.healthcheck?.test]).toEqual([
          'service_healthy',
          expect.any(Array),
        ]);
    }
    expect(service.deploy.resources.limits.memory).toMatch(/^\d+[mg]$/);
  });

  it.each(serviceNames)(
    'restarts %s, waits for setup, asks /ready and leaves it time to stop',
    name => {
      const service = compose.services[name]!;
      expect(service.restart).toBe('unless-stopped');
      expect(service.depends_on?.setup).toEqual({ condition: 'service_completed_successfully' });
      expect(service.healthcheck!.test.join(' ')).toContain(
        `:${service.environment.DRIFTLOOP_HTTP_PORT}/ready`,
      );
      expect(service.environment.DRIFTLOOP_HTTP_HOST).toBe('0.0.0.0');
      expect(service.stop_grace_period).toBe('60s');
    },
  );

  it('has every volume that is mounted, and settings that are valid', () => {
    const mounted = services.flatMap(([, { volumes = [] }]) =>
      volumes.map(volume => volume.split(':')[0]!),
    );
    expect([...new Set(mounted)].sort()).toEqual(Object.keys(compose.volumes).sort());
    const file = withDefaults(compose.configs.settings!.file);
    expect(existsSync(new URL(file, root))).toBe(true);
    expect(parseSettings(readFileSync(new URL(file, root), 'utf8'), file).configuredModels).toEqual(
      [],
    );
  });
});
