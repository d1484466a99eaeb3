import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { topicDefinitions } from '../../../infra/kafka/topics.ts';
import { mostVersionsInMemory } from '../../../services/detector/detectorHandler.ts';
import { maxCalibrationBytes } from '../../../services/evaluator/estimates/calibrationCache.ts';
import { maxLossFeatures } from '../../../services/evaluator/estimates/quality/lossCalibration.ts';
import {
  maxCalibrationRecords,
  maxLossRecords,
} from '../../../services/evaluator/estimates/store/calibrationRecords.ts';
import { maxSampledRecords } from '../../../services/evaluator/estimates/store/sampledWindows.ts';
import { maxSavedQueries } from '../../../services/evaluator/windows/savedQueries.ts';
import { knownIdsAtMost, knownIdsKept } from '../../../services/profiler/profiler.ts';
import {
  mostBytesInMemory,
  mostNewProfiles,
  mostRawBytes,
  mostRawRows,
  mostUnflushedRecords,
} from '../../../services/profiler/profilerHandler.ts';
import { contractType } from '../../../services/shared/avro/schemaRegistry.ts';
import { readEnvironment } from '../../../services/shared/config/environment.ts';
import { parseSettings, readSettings } from '../../../services/shared/config/settings.ts';
import {
  largestUnflushedBytes,
  largestUnflushedRecords,
} from '../../../services/shared/service/batchConsumer.ts';
import { fencedBlocks } from '../../fencedBlocks.ts';
import { serviceMetrics } from './serviceMetrics.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const pages = readdirSync(new URL('docs/', root)).map(name => `docs/${name}`);
const operators = read('docs/operators.md');

/** Cells of the table rows below a heading, without back-ticks. */
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

function namesIn(path: string, pattern: RegExp): string[] {
  return [...read(path).matchAll(pattern)].map(match => match[1]!);
}

describe('docs/operators.md', () => {
  it('lists every environment variable with its default', () => {
    const rows = tableBelow('Environment');
    expect(rows.map(([name]) => name)).toEqual(
      namesIn('services/shared/config/environment.ts', /^ {4}([A-Z][A-Z_]+):/gm),
    );
    const defaults: Record<string, unknown> = readEnvironment({});
    for (const [name, value] of rows) expect(value, name).toBe(String(defaults[name!] ?? ''));
  });

  it('shows every setting with its default', () => {
    const [block] = fencedBlocks(operators).filter(({ kind }) => kind === 'yaml settings');
    const shown = parseSettings(block!.text, 'docs/operators.md').of('any');
    expect(shown).toEqual(readSettings(undefined).of('any'));
    const withOptional = block!.text.replace(/^( +)# (\w+: )/gm, '$1$2');
    expect(parseSettings(withOptional, 'docs/operators.md').of('any').retraining.schedule).toBe(
      '0 3 * * 1',
    );
    const [, schema = ''] = read('services/shared/config/settings.ts').split(
      'const settingsOfOneModel',
    );
    const names = [
      ...schema.split('export type ModelSettings')[0]!.matchAll(/^ {2,4}(\w+):/gm),
    ].map(match => match[1]!);
    expect(names.length).toBeGreaterThan(15);
    for (const name of names) expect(withOptional).toMatch(new RegExp(`^ +${name}:`, 'm'));
  });

  it('lists every metric that a service has', async () => {
    expect(
      tableBelow('Health and metrics')
        .map(([name]) => name)
        .sort(),
    ).toEqual([...(await serviceMetrics()).keys()].sort());
  });

  it('lists every topic as it is created', () => {
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

  it('says the limits that there are', () => {
    const count = (limit: number) => limit.toLocaleString('en');
    const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
    const [, section = ''] = operators.split('\n## Limits\n');
    const rows = section
      .split('\n## ')[0]!
      .split('\n')
      .filter(line => line.startsWith('| '));
    const limits = rows.slice(2).map(line => line.split('|')[2]!.trim());
    expect(limits).toEqual([
      `${count(largestUnflushedRecords)} or ${mib(largestUnflushedBytes)}, and one batch`,
      `${count(mostUnflushedRecords)} or ${mib(largestUnflushedBytes)}, and one batch`,
      `${count(mostRawRows)} or ${mib(mostRawBytes)}`,
      count(mostNewProfiles),
      `${mib(mostBytesInMemory)} after a flush`,
      `${count(knownIdsKept)}, or those of \`deduplication\``,
      count(knownIdsAtMost),
      count(mostVersionsInMemory),
      count(maxSavedQueries),
      mib(maxCalibrationBytes),
      count(maxCalibrationRecords),
      count(maxLossRecords),
      count(maxLossFeatures),
      count(maxSampledRecords),
    ]);
  });

  it('says what to do about every class of dead letter', () => {
    const classes = read('services/shared/records/decodeRecord.ts')
      .split('RejectionClass =')[1]!
      .split(';')[0]!;
    const inCode = [...classes.matchAll(/'([\w-]+)'/g)].map(match => match[1]!);
    expect(tableBelow('Dead letters').map(([name]) => name)).toEqual(inCode);
    for (const name of inCode) expect(read('schemas/asyncapi.yaml')).toContain(`- ${name}\n`);
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

describe.each(pages)('%s', page => {
  const text = read(page);

  it('links to what exists', () => {
    for (const [, target] of text.matchAll(/\]\(([^)#]+)(?:#[\w-]+)?\)/g)) {
      expect(existsSync(new URL(target!, new URL(page, root))), target).toBe(true);
    }
  });

  it('names commands and test files of the project that exist', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const lines = fencedBlocks(text)
      .filter(({ kind }) => kind === 'sh project')
      .flatMap(block => block.text.trim().split('\n'));
    for (const line of lines) {
      const [, script] = /^npm (?:run )?(\S+)$/.exec(line) ?? [];
      const [, project, file] = /^npx vitest run --project (\w+) (\S+)/.exec(line) ?? [];
      if (script) expect(Object.keys(scripts)).toContain(script);
      else {
        expect(file, line).toContain(`/${project}/`);
        expect(existsSync(new URL(file!, root)), file).toBe(true);
      }
    }
  });
});
