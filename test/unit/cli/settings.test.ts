import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { effectiveSettings } from '../../../bin/commands/effectiveSettings.ts';
import { replaySettings } from '../../../bin/replay/replaySettings.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';

const configured = `
inputs:
  - { topic: scores, kind: prediction, fields: { id: uuid, features: 'in.*' }, rows: rows }
defaults: { window: 2h, retraining: { schedule: "0 3 * * *" } }
models:
  churn: { window: 1d, segments: [country], positiveLabel: leaves }
  price: { detection: { minimumRecords: 30 }, idle: 1500ms }
  empty:
`.replace('  empty:\n', '');

describe('effectiveSettings', () => {
  it('returns a settings file with the same meaning', () => {
    const settings = parseSettings(configured, 'a.yaml');
    const again = parseSettings(stringify(effectiveSettings(settings)), 'b.yaml');
    expect(again.configuredModels).toEqual(['churn', 'price']);
    expect(again.inputs).toEqual(settings.inputs);
    expect(again.inputs).toHaveLength(1);
    for (const model of ['churn', 'price', 'another'])
      expect(again.of(model)).toEqual(settings.of(model));
  });

  it('writes durations in the units of the settings file', () => {
    const settings = effectiveSettings(
      parseSettings('defaults: { window: 90m, idle: 0s }', 'a.yaml'),
    );
    expect(settings).toMatchObject({
      defaults: { window: '90m', idle: '0ms', gracePeriod: '7d', outOfOrderness: '1m' },
    });
  });
});

describe('driftloop config check', () => {
  it('prints the settings, and warns of a former name and a missing program on standard error', () => {
    const folder = mkdtempSync(join(tmpdir(), 'driftloop-check-'));
    const file = join(folder, 'former.yaml');
    writeFileSync(
      file,
      'models: { churn: { horizon: 3d, retraining: { command: [no-such-program] } } }',
    );
    const program = fileURLToPath(new URL('../../../bin/driftloop.ts', import.meta.url));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [program, 'config', 'check', file],
      { encoding: 'utf8' },
    );
    rmSync(folder, { recursive: true });
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr:
        'models.churn.horizon is now called gracePeriod; the old name is accepted until version 0.3.\n' +
        'models.churn.retraining.command: expected a program that can be run on this machine, got "no-such-program"; the retrainers need it.\n',
    });
    expect(parseSettings(stdout, 'printed').of('churn').gracePeriodMs).toBe(3 * 86_400_000);
  });
});

describe('replaySettings', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'driftloop-settings-'));
    writeFileSync(join(folder, 'good.yaml'), configured);
    writeFileSync(join(folder, 'bad.yaml'), 'defaults: { windw: 1h }');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('changes only the window, also for a model with its own window', () => {
    const before = parseSettings(configured, 'before');
    const after = parseSettings(replaySettings(join(folder, 'good.yaml'), '15m'), 'after');
    for (const model of ['churn', 'price', 'another']) {
      expect(after.of(model)).toEqual({ ...before.of(model), windowSizeMs: 900_000 });
    }
  });

  it('returns the file if there is no window, and the defaults if there is no file', () => {
    expect(
      parseSettings(replaySettings(join(folder, 'good.yaml'), undefined), 'same').of('churn'),
    ).toEqual(parseSettings(configured, 'before').of('churn'));
    expect(parseSettings(replaySettings(undefined, undefined), 'none').of('any')).toEqual(
      parseSettings('', 'none').of('any'),
    );
  });

  it('names the mistake', () => {
    expect(() => replaySettings(join(folder, 'bad.yaml'), '1h')).toThrow(
      /bad.yaml:1: defaults.windw: is not a setting/,
    );
    expect(() => replaySettings(undefined, 'soon')).toThrow(
      '--window: expected a duration of at least 1s, such as 15m, 1h, 1d (got "soon")',
    );
    expect(() => replaySettings(undefined, '5ms')).toThrow('--window');
  });
});
