import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { serviceMetrics } from './serviceMetrics.ts';

interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook: string };
}

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const rules: AlertRule[] = parse(read('infra/prometheus/alerts.yaml')).groups.flatMap(
  (group: { rules: AlertRule[] }) => group.rules,
);

const metrics = await serviceMetrics();

describe('alerts.yaml', () => {
  it.each(rules.map(rule => [rule.alert, rule] as const))(
    'uses only series that services export: %s',
    (_, rule) => {
      const names = [...rule.expr.matchAll(/driftloop_\w+/g)].map(([name]) => name);
      expect(names.length).toBeGreaterThan(0);
      const labels = new Set(['service', 'le']);
      for (const name of names) {
        const base = name.replace(/_bucket$/, '');
        const metric = metrics.get(base);
        expect(metric, name).toBeDefined();
        expect(metric!.type === 'histogram', name).toBe(name !== base);
        expect(
          /\b(rate|increase)\([^)]*$/.test(rule.expr.slice(0, rule.expr.indexOf(name))),
          name,
        ).toBe(metric!.type === 'counter');
        for (const label of metric!.labelNames) labels.add(label);
      }
      const grouped = [...rule.expr.matchAll(/by \(([\w, ]+)\)/g)].flatMap(([, list]) =>
        list!.split(', '),
      );
      for (const label of grouped) expect([...labels]).toContain(label);
      const { summary, description } = rule.annotations;
      for (const [, label] of `${summary} ${description}`.matchAll(/\$labels\.(\w+)/g))
        expect(grouped).toContain(label);
      expect(rule.expr.split('(').length).toBe(rule.expr.split(')').length);
      for (const [, duration] of rule.expr.matchAll(/\[(.*?)\]/g))
        expect(duration).toMatch(/^\d+[smhd](:\d+[smhd])?$/);
      if (rule.for) expect(rule.for).toMatch(/^\d+[smhd]$/);
    },
  );

  it.each(rules.map(rule => [rule.alert, rule] as const))(
    'says what to do, and names a paragraph of the runbook: %s',
    (_, rule) => {
      expect(rule.annotations.description).toContain('First ');
      expect(read('docs/operators.md')).toContain(`- **${rule.annotations.runbook}**`);
      expect(['page', 'ticket']).toContain(rule.labels.severity);
    },
  );

  it('compares the age of watermarks with bounds that the histogram has', () => {
    const bounds = [...read('infra/prometheus/alerts.yaml').matchAll(/le="(\d+)"/g)].map(
      ([, bound]) => Number(bound),
    );
    expect(bounds).toEqual([86_400, 10_800]);
    const [, buckets] = /buckets: \[(.*)\]/.exec(read('services/detector/detectorMetrics.ts'))!;
    expect(buckets).toMatch(/\b3 \* hour\b.*, day\b/);
  });
});

describe('metrics', () => {
  it('are named as Prometheus asks: totals are counters, units are base units', () => {
    expect(metrics.size).toBeGreaterThan(20);
    for (const [name, { type }] of metrics) {
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|hours|kilobytes|kb|mb)(_|$)/);
    }
  });

  it('have no label whose values come from producers', () => {
    const bounded = [
      'topic',
      'partition',
      'table',
      'class',
      'reason',
      'cache',
      'verdict',
      'limit',
      'status',
      'cause',
      'server',
    ];
    for (const [name, { labelNames }] of metrics)
      for (const label of labelNames) expect(bounded, name).toContain(label);
  });
});
