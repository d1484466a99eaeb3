import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addAlertsCommand } from '../../../bin/commands/alerts.ts';
import { effectiveSettings } from '../../../bin/commands/effectiveSettings.ts';
import { topicDefinitions } from '../../../infra/kafka/topics.ts';
import { maxVersionsInMemory } from '../../../services/detector/detectorHandler.ts';
import { maxCalibrationBytes } from '../../../services/evaluator/estimates/calibrationCache.ts';
import { maxLossFeatures } from '../../../services/evaluator/estimates/quality/lossCalibration.ts';
import {
  maxCalibrationRecords,
  maxLossRecords,
} from '../../../services/evaluator/estimates/store/calibrationRecords.ts';
import { maxSampledRecords } from '../../../services/evaluator/estimates/store/sampledWindows.ts';
import { maxSavedQueries } from '../../../services/evaluator/windows/savedQueries.ts';
import { maxKnownIds, minKnownIds } from '../../../services/profiler/counting/deduplication.ts';
import {
  maxBytesInMemory,
  maxNewProfiles,
  maxUnflushedRecords as maxProfilerRecords,
  maxRawBytes,
  maxRawRows,
} from '../../../services/profiler/profilerHandler.ts';
import { contractType } from '../../../services/shared/avro/schemaRegistry.ts';
import { readEnvironment } from '../../../services/shared/config/environment.ts';
import {
  type ModelSettings,
  parseSettings,
  readSettings,
} from '../../../services/shared/config/settings.ts';
import { compileGuardrails } from '../../../services/shared/guardrails/guardrail.ts';
import { batchLimits } from '../../../services/shared/kafka/protocol/batchLimits.ts';
import { maxFetchCostBytes } from '../../../services/shared/kafka/protocol/recordSet.ts';
import { contractValue } from '../../../services/shared/records/contractValue.ts';
import { mapContent } from '../../../services/shared/records/mapContent.ts';
import { deadLetterClasses } from '../../../services/shared/service/deadLetters.ts';
import {
  maxUnflushedBytes,
  maxUnflushedRecords,
} from '../../../services/shared/service/flushSchedule.ts';
import { fencedBlocks } from '../../fencedBlocks.ts';
import { serviceMetrics } from './serviceMetrics.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const pages = [
  'README.md',
  'quality/README.md',
  'examples/electricity/README.md',
  ...readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
];
const operators = read('docs/operators.md');

/** Returns the cells of the table rows below a heading, without back-ticks. */
function tableBelow(heading: string): string[][] {
  const [, section = ''] = operators.split(`\n## ${heading}\n`);
  return section
    .split('\n## ')[0]!
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim().replaceAll('`', '')),
    );
}

/** Returns the names of the variables that readEnvironment asks for, in its order. */
function environmentVariables(): string[] {
  const asked = new Set<string>();
  const get = (_: object, name: string | symbol) =>
    void (typeof name === 'string' && asked.add(name));
  readEnvironment(new Proxy({}, { get }));
  return [...asked];
}

type OptionalName<Group> = {
  [Name in keyof Group]-?: undefined extends Group[Name] ? Name : never;
}[keyof Group];

/** The settings that have no default; the compiler keeps the list complete. */
const optionalSettings: Record<
  | OptionalName<ModelSettings>
  | OptionalName<ModelSettings['output']>
  | Exclude<OptionalName<ModelSettings['retraining']>, 'maximumAgeMs'>
  | 'maximumAge',
  true
> = {
  positiveLabel: true,
  task: true,
  scoreOf: true,
  threshold: true,
  costs: true,
  schedule: true,
  everyLabelledRows: true,
  maximumAge: true,
  command: true,
  webhook: true,
  topic: true,
};

/** Returns the names of all settings, those inside a group too. */
function settingNames(): string[] {
  const names = (group: object): string[] =>
    Object.entries(group).flatMap(([name, value]) =>
      typeof value === 'object' && !Array.isArray(value) ? [name, ...names(value)] : [name],
    );
  return [
    ...names(effectiveSettings(readSettings(undefined)).defaults),
    ...Object.keys(optionalSettings),
  ];
}

describe('docs/producers.md', () => {
  it('shows inputs that are read as it says', () => {
    const [block] = fencedBlocks(read('docs/producers.md')).filter(
      ({ kind }) => kind === 'yaml inputs',
    );
    const [scores, batches, outcomes] = parseSettings(block!.text, 'docs/producers.md').inputs;
    const record = {
      request: { uuid: 'a', country: 'DE' },
      meta: { release: 3 },
      ts: '2026-03-02 09:30:00+01',
      inputs: { age: 41 },
      output: { label: 'stays' },
    };
    const [row] = mapContent(record, scores!);
    expect(contractValue(row, 'Prediction').value).toMatchObject({
      id: 'a',
      model: 'churn',
      version: '3',
      time: Date.UTC(2026, 2, 2, 8, 30),
      features: { names: ['age'], values: [41] },
      prediction: 'stays',
      segment: { country: 'DE' },
    });
    const instances = [{ age: 1 }, { age: 2 }];
    const outputs = [{ label: 'x' }, { label: 'y' }];
    expect(mapContent({ id: 'a', instances, outputs }, batches!)).toMatchObject([
      { id: 'a-0', features: { age: 1 }, prediction: 'x' },
      { id: 'a-1', features: { age: 2 }, prediction: 'y' },
    ]);
    const order = { uuid: 'a', returned: true, closed_at: 1_772_443_800 };
    expect(mapContent({ order }, outcomes!)).toMatchObject([
      { id: 'a', label: true, time: 1_772_443_800 },
    ]);
  });
});

describe('docs/operators.md', () => {
  it('lists every environment variable with its default', () => {
    const rows = tableBelow('Environment');
    expect(rows.map(([name]) => name)).toEqual(environmentVariables());
    const defaults: Record<string, unknown> = readEnvironment({});
    for (const [name, value] of rows) expect(value, name).toBe(String(defaults[name!] ?? ''));
  });

  it('shows every setting with its default', () => {
    const [block] = fencedBlocks(operators).filter(({ kind }) => kind === 'yaml settings');
    const shown = parseSettings(block!.text, 'docs/operators.md').of('any');
    expect(shown).toEqual(readSettings(undefined).of('any'));
    const withOptional = block!.text.replace(/^( +)# (\w+: )/gm, '$1$2');
    // One trainer trains a model.
    for (const trainer of ['command', 'webhook', 'topic'] as const) {
      const others = ['command', 'webhook', 'topic'].filter(name => name !== trainer).join('|');
      const text = withOptional.replace(new RegExp(`^ +(${others}): .*\n`, 'gm'), '');
      const { retraining } = parseSettings(text, 'docs/operators.md').of('any');
      expect(retraining.schedule).toBe('0 3 * * 1');
      expect(retraining[trainer]).toBeDefined();
    }
    for (const name of settingNames()) expect(withOptional).toMatch(new RegExp(`^ +${name}:`, 'm'));
  });

  it('shows guardrails that can be read', () => {
    const [block] = fencedBlocks(operators).filter(({ kind }) => kind === 'yaml guardrails');
    const { guardrails } = parseSettings(block!.text, 'docs/operators.md').of('loans');
    expect(guardrails).toHaveLength(4);
    expect(compileGuardrails(guardrails).rules).toBe(guardrails);
  });

  it('shows commands about alerts that are there, with options that they have', () => {
    const [block] = fencedBlocks(operators).filter(({ kind }) => kind === 'sh alerts');
    const program = new Command();
    addAlertsCommand(program);
    const [alerts] = program.commands;
    const shown = block!.text.trim().split('\n');
    expect(shown).toHaveLength(alerts!.commands.length - 1);
    for (const line of shown) {
      const [, name] = /^npx driftloop alerts (\S+)/.exec(line)!;
      const command = alerts!.commands.find(known => known.name() === name);
      expect(command, line).toBeDefined();
      for (const [flag] of line.matchAll(/--\w+/g))
        expect(command!.options.map(({ long }) => long)).toContain(flag);
    }
  });

  it('lists every metric that a service has', async () => {
    expect(
      tableBelow('Health and metrics')
        .map(([name]) => name)
        .sort(),
    ).toEqual([...(await serviceMetrics()).keys()].sort());
  });

  it('lists every topic with its partitions and retention', () => {
    const days = 86_400_000;
    expect(
      tableBelow('Topics').map(([name, , partitions, kept]) => [name, partitions, kept]),
    ).toEqual(
      Object.entries(topicDefinitions).map(([name, { partitions, retention }]) => [
        name,
        String(partitions),
        retention === 'compact' ? 'compacted' : `${retention / days} d`,
      ]),
    );
  });

  it('states the limits as they are in the code', () => {
    const count = (limit: number) => limit.toLocaleString('en');
    const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
    const [, section = ''] = operators.split('\n## Limits\n');
    const rows = section
      .split('\n## ')[0]!
      .split('\n')
      .filter(line => line.startsWith('| '));
    const limits = rows.slice(2).map(line => line.split('|')[2]!.trim());
    expect(limits).toEqual([
      `${count(maxUnflushedRecords)} or ${mib(maxUnflushedBytes)}, and one batch`,
      `${count(maxProfilerRecords)} or ${mib(maxUnflushedBytes)}, and one batch`,
      `${mib(batchLimits.maxBytes)}, ${count(batchLimits.maxRecords)}, ${count(batchLimits.maxHeaders)} headers`,
      `${mib(maxFetchCostBytes)}, and one batch`,
      `${count(maxRawRows)} or ${mib(maxRawBytes)}`,
      count(maxNewProfiles),
      `${mib(maxBytesInMemory)} after a flush`,
      `${count(minKnownIds)}, or those of \`deduplication\``,
      count(maxKnownIds),
      count(maxVersionsInMemory),
      count(maxSavedQueries),
      mib(maxCalibrationBytes),
      count(maxCalibrationRecords),
      count(maxLossRecords),
      count(maxLossFeatures),
      count(maxSampledRecords),
    ]);
  });

  it('says what to do about every class of dead letter', () => {
    expect(tableBelow('Dead letters').map(([name]) => name)).toEqual(deadLetterClasses);
    for (const name of deadLetterClasses)
      expect(read('schemas/asyncapi.yaml')).toContain(`- ${name}\n`);
  });

  it.each(['Alert', 'DriftEvent'])('names every field and state of a %s', contract => {
    const { fields } = contractType(contract).schema({ exportAttrs: true }) as unknown as {
      fields: { name: string; type: { symbols?: string[] } }[];
    };
    for (const { name, type } of fields) {
      expect(operators).toContain(`\`${name}\``);
      for (const symbol of type.symbols ?? []) expect(operators).toContain(`\`${symbol}\``);
    }
  });
});

/** The anchors that GitHub gives to the headings of a page. @example '## At 3 a.m.' // 'at-3-am' */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(pages)('%s', page => {
  const text = read(page);

  it('links to what exists', () => {
    for (const [, link] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (link!.startsWith('https://')) continue;
      const [path, anchor] = link!.split('#');
      const target = new URL(path!, new URL(page, root));
      expect(existsSync(target), link).toBe(true);
      if (anchor) expect(anchorsOf(readFileSync(target, 'utf8'))).toContain(anchor);
    }
  });

  it('keeps its lines to 100 columns, except rows of tables', () => {
    const lines = text.split('\n').filter(line => !line.startsWith('|'));
    expect(lines.filter(line => [...line].length > 100)).toEqual([]);
  });

  it('names scripts of package.json, and files and folders that exist', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const lines = fencedBlocks(text)
      .filter(({ kind }) => kind === 'sh project')
      .flatMap(block => block.text.trim().split('\n'));
    for (const line of lines) {
      const [command, ...args] = line.replace(/ +#.*/, '').split(' -- ');
      const [, script] = /^npm (?:run )?(\S+)$/.exec(command!) ?? [];
      expect(Object.keys(scripts), line).toContain(script);
      for (const [path] of args.join(' ').matchAll(/(?<= |^)test\/\S+/g))
        expect(existsSync(new URL(path, root)), path).toBe(true);
    }
  });
});
