import { describe, expect, it } from 'vitest';
import { parseSettings, readSettings } from '../../../services/shared/config/settings.ts';

const hourMs = 3_600_000;

describe('settings', () => {
  it('gives every model the documented defaults', () => {
    const settings = parseSettings('', 'none').of('anything');
    expect(settings).toMatchObject({
      window: hourMs,
      allowedLateness: 60_000,
      horizon: 7 * 24 * hourMs,
      idle: 300_000,
      segments: [],
    });
  });

  it('layers defaults of the file and settings of a model, also within a group', () => {
    const settings = parseSettings(
      'defaults:\n  window: 1d\n  detection: { minimumRecords: 100 }\nmodels:\n  credit:\n    window: 15m\n    detection: { bootstrapWindows: 20 }\n',
      'file',
    );
    expect(settings.of('other').window).toBe(24 * hourMs);
    expect(settings.of('credit').window).toBe(hourMs / 4);
    expect(settings.of('credit').detection).toMatchObject({
      minimumRecords: 100,
      bootstrapWindows: 20,
    });
    expect(settings.configuredModels).toEqual(['credit']);
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

  it('reports YAML that cannot be read, and a file that is not there, in one line', () => {
    expect(() => parseSettings('a: [1', 'driftloop.yaml')).toThrow(/^driftloop.yaml: /);
    expect(() => readSettings('/nowhere/driftloop.yaml')).toThrow(
      'settings file /nowhere/driftloop.yaml: ENOENT',
    );
  });
});
