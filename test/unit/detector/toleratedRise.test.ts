import { describe, expect, it } from 'vitest';
import { toleratedRise } from '../../../services/detector/families/toleratedRise.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';

describe('performanceDrop', () => {
  it('is in points of an error rate and a share of an absolute error, as a number', () => {
    expect(toleratedRise(0.02, 0.2, 'absolute')).toBe(0.02);
    expect(toleratedRise(0.02, 50, 'relative')).toBe(1);
  });

  it('is at most half of an error rate, as a number', () => {
    expect(toleratedRise(0.02, 0.005, 'absolute')).toBe(0.0025);
    expect(toleratedRise(0.02, 0.04, 'absolute')).toBe(0.02);
  });

  it('is the smaller of an absolute and a relative rise', () => {
    expect(toleratedRise({ absolute: 0.02 }, 0.2, 'absolute')).toBe(0.02);
    expect(toleratedRise({ absolute: 3 }, 50, 'relative')).toBe(3);
    expect(toleratedRise({ relative: 0.5 }, 0.01, 'absolute')).toBe(0.005);
    const both = { absolute: 0.02, relative: 0.5 };
    expect(toleratedRise(both, 0.005, 'absolute')).toBe(0.0025);
    expect(toleratedRise(both, 0.2, 'absolute')).toBe(0.02);
    expect(toleratedRise({ absolute: 0.02 }, 0, 'absolute')).toBe(0.02);
  });

  it('is a number or names at least one of them in the settings', () => {
    const drop = (text: string) =>
      parseSettings(`defaults: { detection: { performanceDrop: ${text} } }`, 'file').of('m')
        .detection.performanceDrop;
    expect(drop('0.1')).toBe(0.1);
    expect(drop('{ absolute: 0.02, relative: 1 }')).toEqual({ absolute: 0.02, relative: 1 });
    for (const wrong of ['{}', '2', '{ other: 1 }'])
      expect(() => drop(wrong)).toThrow('defaults.detection.performanceDrop: ');
  });
});
