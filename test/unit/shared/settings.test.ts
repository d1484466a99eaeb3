import { describe, expect, it } from 'vitest';
import { parseSettings, readSettings } from '../../../services/shared/config/settings.ts';

const hourMs = 3_600_000;

describe('settings', () => {
  it('gives every model the documented defaults', () => {
    const settings = parseSettings('', 'none').of('anything');
    expect(settings).toMatchObject({
      windowSizeMs: hourMs,
      outOfOrdernessMs: 60_000,
      gracePeriodMs: 7 * 24 * hourMs,
      deduplicationMs: hourMs,
      idleMs: 300_000,
      retraining: { cooldownMs: 24 * hourMs, timeoutMs: 600_000 },
      segments: [],
    });
  });

  it('combines the defaults of the file with the settings of a model, also within a group', () => {
    const settings = parseSettings(
      'defaults:\n  window: 1d\n  detection: { minimumRecords: 100 }\nmodels:\n  credit:\n    window: 15m\n    detection: { bootstrapWindows: 20 }\n',
      'file',
    );
    expect(settings.of('other').windowSizeMs).toBe(24 * hourMs);
    expect(settings.of('credit').windowSizeMs).toBe(hourMs / 4);
    expect(settings.of('credit').detection).toMatchObject({
      minimumRecords: 100,
      bootstrapWindows: 20,
    });
    expect(settings.configuredModels).toEqual(['credit']);
  });

  it('names kinds of features, and whether vectors are kept', () => {
    const settings = parseSettings(
      'models: { credit: { keepVectors: true, features: { account: { kind: identifier } } } }',
      'file',
    );
    expect(settings.of('credit').keepVectors).toBe(true);
    expect(settings.of('credit').detection.featureKinds).toEqual({ account: 'identifier' });
    expect(settings.of('other').keepVectors).toBe(false);
    expect(settings.of('other').detection).not.toHaveProperty('featureKinds');
    expect(() => parseSettings('defaults: { features: { x: { kind: id } } }', 'file')).toThrow(
      'file:1: defaults.features.x.kind',
    );
  });

  it('lists every mistake with its line and path', () => {
    const text =
      'defaults:\n  window: soon\n  segmnts: [a]\nmodels:\n  credit:\n    retraining:\n      schedule: "every day"\n      cooldown: 5\n';
    const mistakes = () => parseSettings(text, 'driftloop.yaml');
    expect(mistakes).toThrow(
      'driftloop.yaml:2: defaults.window: expected a duration such as 15m, 1h, 7d (got "soon")',
    );
    expect(mistakes).toThrow('driftloop.yaml:3: defaults.segmnts: is not a setting');
    expect(mistakes).toThrow(
      'models.credit.retraining.schedule: expected a cron expression such as "0 3 * * *" (got "every day")',
    );
    expect(mistakes).toThrow(
      'models.credit.retraining.cooldown: expected a duration such as 15m, 1h, 7d (got 5)',
    );
  });

  it('accepts the former names of settings as before, with a warning for each', () => {
    const settings = parseSettings(
      'defaults: { horizon: 3d }\nmodels:\n  credit: { allowedLateness: 5m, gracePeriod: 1d }\n  other: { horizon: 2d }\n',
      'file',
    );
    expect(settings.of('credit')).toEqual({
      ...parseSettings('', 'none').of('credit'),
      outOfOrdernessMs: 300_000,
      gracePeriodMs: 24 * hourMs,
    });
    expect(settings.of('other').gracePeriodMs).toBe(48 * hourMs);
    expect(settings.of('third').gracePeriodMs).toBe(72 * hourMs);
    expect(settings.warnings).toEqual([
      'defaults.horizon is now called gracePeriod; the old name is accepted until version 0.3.',
      'models.credit.allowedLateness is now called outOfOrderness; the old name is accepted until version 0.3.',
      'models.other.horizon is now called gracePeriod; the old name is accepted until version 0.3.',
    ]);
  });

  it('has no warnings about a file that uses the present names', () => {
    expect(parseSettings('', 'none').warnings).toEqual([]);
    expect(parseSettings('defaults: { gracePeriod: 3d }', 'file').warnings).toEqual([]);
  });

  it('refuses the former and the present name of a setting for the same model, beside other mistakes', () => {
    const text =
      'defaults: { horizon: 3d, gracePeriod: 3d }\nmodels:\n  credit:\n    allowedLateness: 5m\n    outOfOrderness: 5m\n    idle: 5\n';
    const mistakes = () => parseSettings(text, 'driftloop.yaml');
    expect(mistakes).toThrow(
      'driftloop.yaml:1: defaults.horizon: is the old name of gracePeriod, which is given as well; remove one of the two (got "3d")',
    );
    expect(mistakes).toThrow(
      'driftloop.yaml:4: models.credit.allowedLateness: is the old name of outOfOrderness, which is given as well; remove one of the two (got "5m")',
    );
    expect(mistakes).toThrow('driftloop.yaml:6: models.credit.idle: expected a duration');
  });

  it('names a mistake in a setting by the name that the file uses', () => {
    expect(() => parseSettings('defaults: { horizon: soon }', 'driftloop.yaml')).toThrow(
      'driftloop.yaml:1: defaults.horizon: expected a duration such as 15m, 1h, 7d (got "soon")',
    );
  });

  it('reports unreadable YAML and a missing file in one line', () => {
    expect(() => parseSettings('a: [1', 'driftloop.yaml')).toThrow(/^driftloop.yaml: /);
    expect(() => readSettings('/nowhere/driftloop.yaml')).toThrow(
      'settings file /nowhere/driftloop.yaml: ENOENT',
    );
  });
});
